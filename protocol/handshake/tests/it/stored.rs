use super::support::{NOW, intro, nobody, rng, run};
use handshake::{AwaitingM3, AwaitingM4, HandshakeError, Inviter};
use identity::StoredError;

#[test]
fn hs_3_every_state_survives_the_store() {
    let p = run(60);
    let inviter = Inviter::from_secret_bytes(&p.inviter.to_secret_bytes()).ok().unwrap();
    assert_eq!(inviter.m1(), p.inviter.m1());
    assert_eq!(inviter.invite().to_uri(), p.inviter.invite().to_uri());
    let answer = |inviter: &Inviter| {
        inviter.receive_m2(&mut rng(1), &p.alice, &intro("Alice"), &p.m2, NOW, nobody).unwrap()
    };
    let (m3, alice_waits) = answer(&inviter);
    assert_eq!(m3, answer(&p.inviter).0, "the stored state answers with the same bytes");

    let alice_waits = AwaitingM4::from_secret_bytes(&alice_waits.to_secret_bytes()).ok().unwrap();
    let bob_waits = AwaitingM3::from_secret_bytes(&p.bob_waits.to_secret_bytes()).ok().unwrap();
    let (m4, at_bob) = bob_waits.receive_m3(&mut rng(2), &p.bob, &m3, NOW, nobody).unwrap();
    let at_alice = alice_waits.receive_m4(&m4).unwrap();
    assert!(at_alice.session.ct_eq(&at_bob.session) && at_alice.sas == at_bob.sas);
    assert_eq!((at_alice.day, &at_alice.peer_intro), (at_bob.day, &intro("Bob")));
    assert_eq!(alice_waits.receive_m4(&p.m4).err(), Some(HandshakeError::NotAuthentic));
}

#[test]
fn hs_3_damaged_states_are_refused_and_blame_the_store() {
    let p = run(61);
    type Load = fn(&[u8]) -> Option<StoredError>;
    let states: [(&str, Vec<u8>, Load); 3] = [
        ("Inviter", p.inviter.to_secret_bytes().to_vec(), |b| Inviter::from_secret_bytes(b).err()),
        ("AwaitingM3", p.bob_waits.to_secret_bytes().to_vec(), |b| {
            AwaitingM3::from_secret_bytes(b).err()
        }),
        ("AwaitingM4", p.alice_waits.to_secret_bytes().to_vec(), |b| {
            AwaitingM4::from_secret_bytes(b).err()
        }),
    ];
    assert_eq!(states.each_ref().map(|(_, bytes, _)| bytes.len()), [230, 2505, 6951]);
    for (what, bytes, load) in states {
        assert_eq!(load(&bytes), None, "{what}");
        let mut other = bytes.clone();
        other[0] = 2;
        for bad in
            [&other[..], &bytes[1..], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat(), &[]]
        {
            assert!(matches!(load(bad), Some(StoredError::Malformed(_))), "{what}");
        }
    }
    let mut bytes = p.alice_waits.to_secret_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let error = AwaitingM4::from_secret_bytes(&bytes).err();
    assert!(matches!(error, Some(StoredError::Certificate(_))), "{error:?}");
}
