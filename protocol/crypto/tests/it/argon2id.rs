use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

/// RFC 9106, section 5.3. It has a secret and associated data, which our API does not take.
#[test]
fn cry_9_rfc9106_argon2id_of_the_primitive() {
    let data = AssociatedData::new(&[4; 12]).unwrap();
    let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(
        tag,
        [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b,
            0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9,
            0x6b, 0x01, 0xe6, 0x59
        ]
    );
}

/// The API is that function with neither.
#[test]
fn cry_9_stretched_is_the_primitive() {
    use crypto::password::{Cost, Stretched};
    let cost = Cost { memory_kib: 64, passes: 2, lanes: 2 };
    let ours = Stretched::from_passphrase(b"passphrase", &[7; 16], cost).unwrap();
    let params = ParamsBuilder::new().m_cost(64).t_cost(2).p_cost(2).build().unwrap();
    let mut tag = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(b"passphrase", &[7; 16], &mut tag)
        .unwrap();
    assert_eq!(ours.expose_secret(), &tag);
}
