//! Every label of every derivation (CRY-2): each begins with the protocol's name and version, and
//! none is a prefix of another, so that no two derivations can ever meet.

macro_rules! labels {
    ($($name:ident = $text:literal;)+) => {
        $(#[doc = concat!("`", $text, "`")] pub const $name: &[u8] = $text.as_bytes();)+
        #[cfg(test)]
        const ALL: &[&[u8]] = &[$($name),+];
    };
}

labels! {
    IDCERT_ED = "pvtcoms v1 idcert ed";
    IDCERT_MD = "pvtcoms v1 idcert md";
    FINGERPRINT = "pvtcoms v1 identity";
    SUCCESSOR_ED = "pvtcoms v1 successor ed";
    SUCCESSOR_MD = "pvtcoms v1 successor md";
    LONG_CHECK = "pvtcoms v1 long check";
    M1 = "pvtcoms v1 m1";
    INVITE_CHECK = "pvtcoms v1 invite check";
    PSK = "pvtcoms v1 psk";
    XX = "pvtcoms v1 xx";
    COMBINER = "pvtcoms v1 combiner";
    MIX = "pvtcoms v1 mix";
    CONFIRM = "pvtcoms v1 confirm";
    SESSION = "pvtcoms v1 session";
    SID = "pvtcoms v1 sid";
    RATCHET_ROOT = "pvtcoms v1 ratchet root";
    RATCHET_FIRST = "pvtcoms v1 ratchet first";
    BOARD_ROOT = "pvtcoms v1 board root";
    SYNC_ROOT = "pvtcoms v1 sync root";
    RECOVERY_PSK = "pvtcoms v1 recovery psk";
    REKEY = "pvtcoms v1 rekey";
    SAS_COMMIT = "pvtcoms v1 sas commit";
    SAS_TRANSCRIPT = "pvtcoms v1 sas transcript";
    SAS_CODE = "pvtcoms v1 sas code";
    STEP_KEYS = "pvtcoms v1 step keys";
    SIV = "pvtcoms v1 siv";
    BODY = "pvtcoms v1 body";
    BOARD_KDF = "pvtcoms board v1 kdf ";
    BOARD_ENVELOPE = "pvtcoms board v1 envelope";
    BOARD_HEADER = "pvtcoms board v1 header";
    BOARD_POW = "pvtcoms board v1 pow";
    BOARD_GENERATION = "pvtcoms board v1 generation";
    SLOT = "pvtcoms/slot/v1";
    BACKUP_KEY = "pvtcoms/backup/v1 key";
    BACKUP_SEGMENT = "pvtcoms/backup/v1 segment";
    STORE_WITNESS = "pvtcoms/store/v1 witness";
    STORE_SUM = "pvtcoms/store/v1 sum";
    AT_REST_ENVELOPE = "pvtcoms/at-rest/v1 envelope";
    AT_REST_PAGE = "pvtcoms/at-rest/v1 page";
    AT_REST_INDEX = "pvtcoms/at-rest/v1 index";
    AT_REST_JOURNAL = "pvtcoms/at-rest/v1 journal";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn cry_2_no_label_is_a_prefix_of_another() {
        for (i, a) in ALL.iter().enumerate() {
            assert!(a.starts_with(b"pvtcoms"));
            for (j, b) in ALL.iter().enumerate() {
                assert!(i == j || !b.starts_with(a), "{:?} begins {:?}", a, b);
            }
        }
    }
}
