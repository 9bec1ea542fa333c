use serde_json::Value;
use vectors::transcript::replay;
use vectors::{TRANSCRIPT, folder, load};

fn committed() -> Value {
    load(&folder(), TRANSCRIPT).unwrap()
}

/// Both parties compute from the noted dice what was computed then: every byte on the wire, every
/// value between, every refusal.
#[test]
fn rat_4_hs_4_rek_1_transcript_replays_byte_for_byte() {
    let transcript = committed();
    let steps = replay(&transcript).unwrap();
    let does = |what: &str| {
        transcript["steps"].as_array().unwrap().iter().filter(|s| s["does"] == what).count()
    };
    let refused = transcript["steps"].as_array().unwrap().iter();
    let refused = refused.filter(|s| s["gives"]["error"].is_string()).count();
    let counts = (steps, does("encrypt"), does("decrypt"), refused, does("R1"), does("succeed"));
    assert_eq!(counts, (204, 60, 54, 4, 1, 1));
}

/// Flips the last bit of the digit in the middle.
fn flip(text: &mut String) {
    let mut digits: Vec<char> = text.chars().collect();
    let digit = &mut digits[text.len() / 2];
    *digit = char::from_digit(digit.to_digit(16).unwrap() ^ 1, 16).unwrap();
    *text = digits.into_iter().collect();
}

/// All strings of hexadecimal digits under a value, with the way to each.
fn hexed(value: &Value, way: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            found.push(way.to_owned());
        }
        Value::Array(all) => {
            for (i, value) in all.iter().enumerate() {
                hexed(value, &format!("{way}/{i}"), found);
            }
        }
        Value::Object(all) => {
            for (name, value) in all {
                hexed(
                    value,
                    &format!("{way}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

/// One digit of any field is enough: the dice, a message, a value between. The first session up to
/// its fifth message has every kind of step but the re-key's.
#[test]
fn control_a_flipped_digit_anywhere_stops_the_replay() {
    let mut transcript = committed();
    transcript["steps"].as_array_mut().unwrap().truncate(30);
    replay(&transcript).unwrap();
    let mut fields = Vec::new();
    hexed(&transcript, "", &mut fields);
    assert!(fields.len() > 150, "{} fields", fields.len());
    for field in fields.iter().step_by(3) {
        let mut changed = transcript.clone();
        let Some(Value::String(text)) = changed.pointer_mut(field) else { panic!("{field}") };
        flip(text);
        let replayed = std::panic::catch_unwind(|| replay(&changed));
        assert!(!matches!(replayed, Ok(Ok(_))), "{field} may be changed");
    }
}
