//! What people paste: invites and addresses of mailboxes.

use crypto::{hash, labels};
use data_encoding::BASE32_NOPAD;
use handshake::{Invite, InviteError};

/// A text that may be an invite. What is accepted is written back letter for letter (INV-1).
pub fn text(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(invite) = Invite::from_uri(text) {
        assert_eq!(*invite.to_uri(), text.trim().to_ascii_lowercase());
    }
}

/// The fields of an invite whose check is right, which is how far a malicious maker comes.
pub fn fields(data: &[u8]) {
    let uri = uri(data);
    match Invite::from_uri(&uri) {
        Ok(invite) => assert_eq!(*invite.to_uri(), uri.to_ascii_lowercase()),
        Err(error) => assert_ne!(error, InviteError::Mistyped, "the check is right"),
    }
}

/// The text of an invite with these fields.
pub(crate) fn uri(fields: &[u8]) -> String {
    let check = hash(&[labels::INVITE_CHECK, fields]);
    let code = BASE32_NOPAD.encode(&[fields, &check[..4]].concat());
    format!("pvtcoms:i1/{code}")
}

/// `ver ‖ suite ‖ count ‖ mailboxes ‖ I ‖ H(M1) ‖ expiry`
pub(crate) fn body(mailboxes: &[[u8; 32]], m1: &[u8], expiry_hours: u32) -> Vec<u8> {
    let mut body = vec![1, 1, mailboxes.len() as u8];
    body.extend_from_slice(mailboxes.as_flattened());
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&hash(&[labels::M1, m1]));
    body.extend_from_slice(&expiry_hours.to_be_bytes());
    body
}

fn bodies() -> [Vec<u8>; 2] {
    [body(&[[1; 32]], b"m1", 500_000), body(&[[1; 32], [2; 32]], b"m1", 500_000)]
}

pub fn text_seeds() -> Vec<Vec<u8>> {
    let valid = bodies().map(|body| uri(&body).to_ascii_lowercase());
    let others = ["pvtcoms:i2/aaaa", " PVTCOMS:I1/AA\n", "pvtcoms:ix/"].map(str::to_owned);
    valid.into_iter().chain(others).map(String::into_bytes).collect()
}

pub fn fields_seeds() -> Vec<Vec<u8>> {
    bodies().to_vec()
}

/// A text that may be an onion address, and a key whose address must read back.
pub fn address(data: &[u8]) {
    if let Some(key) = data.first_chunk() {
        assert_eq!(board::address::decode(&board::address::encode(key)), Ok(*key));
    }
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(key) = board::address::decode(text) {
        let read = text.trim().to_ascii_lowercase();
        let bare = read.strip_prefix("pvtcoms-mailbox:").unwrap_or(&read);
        assert_eq!(board::address::encode(&key), bare);
    }
}

pub fn address_seeds() -> Vec<Vec<u8>> {
    let address = board::address::encode(&[7; 32]);
    vec![format!(" pvtcoms-mailbox:{address}\n").into_bytes(), address.into_bytes()]
}
