//! Arti's bootstrap status in the gate's words (TOR-13).

use arti_client::status::{BlockageKind, BootstrapStatus};
use gate::{Blockage, Isolation, Stage, Status, Vanguards};

/// Before Arti has said anything.
pub(super) const STARTING: Status = Status {
    stage: Stage::Starting,
    fraction: 0,
    blockage: Blockage::None,
    skew_s: None,
    isolation: Isolation::Confirmed, // by construction: one isolation token for one dial
    vanguards: Vanguards::Full,
};

/// Share of the bootstrap that Arti counts for its first connection.
const CONNECTED: u16 = 150;

pub(super) fn of(arti: &BootstrapStatus) -> Status {
    let fraction = thousandths(arti.as_frac());
    let stage = if arti.ready_for_traffic() {
        Stage::Ready
    } else if fraction < CONNECTED {
        Stage::Connecting
    } else {
        Stage::Directory
    };
    let blocked = arti.blocked();
    let blockage = blocked.as_ref().map_or(Blockage::None, |blocked| match blocked.kind() {
        BlockageKind::Disabled => Blockage::None, // the bootstrap has not begun
        BlockageKind::Offline => Blockage::Offline,
        BlockageKind::Filtering => Blockage::Filtering,
        BlockageKind::ClockSkewed => Blockage::Clock,
        BlockageKind::CantBootstrap => Blockage::CantBootstrap,
        _ => Blockage::CantReachTor,
    });
    Status { stage, fraction, blockage, skew_s: skew(&arti.to_string()), ..STARTING }
}

#[expect(clippy::as_conversions, reason = "a float has no other way to an integer; it saturates")]
fn thousandths(fraction: f32) -> u16 {
    ((fraction * 1000.0) as u16).min(1000)
}

/// Arti tells the clock's error in words alone: "Clock is fast by around 3h 2m (based on …". What
/// is not understood is not known.
fn skew(words: &str) -> Option<i32> {
    let (_, rest) = words.split_once("Clock is ")?;
    let (direction, rest) = rest.split_once(" by around ")?;
    let (amount, _) = rest.split_once(" (")?;
    let mut seconds = 0_i32;
    for part in amount.split(' ') {
        let (number, unit) = part.split_at_checked(part.find(|c: char| !c.is_ascii_digit())?)?;
        let scale = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "day" | "days" => 86_400,
            "month" | "months" => 2_630_016,
            "year" | "years" => 31_557_600,
            _ => return None,
        };
        let part = number.parse::<i32>().ok()?.checked_mul(scale)?;
        seconds = seconds.checked_add(part)?;
    }
    match direction {
        "fast" => Some(seconds),
        "slow" => seconds.checked_neg(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_13_the_clock_s_error_is_read_from_arti_s_words() {
        let words =
            "Stuck at 3%: x (y). Clock is fast by around 3h 2m (based on 3 recent observations)";
        assert_eq!(skew(words), Some(10_920));
        assert_eq!(skew("Clock is slow by around 1day 5s (based"), Some(-86_405));
        assert_eq!(skew("Clock is not skewed by more than 15m (based"), None);
        assert_eq!(skew("45%: connecting; fetching"), None);
        assert_eq!(skew("Clock is fast by around 9999999999s (b"), None);
    }

    #[test]
    fn tor_13_fractions_fit() {
        assert_eq!((thousandths(-1.0), thousandths(0.5), thousandths(7.0)), (0, 500, 1000));
        assert_eq!(thousandths(f32::NAN), 0);
    }
}
