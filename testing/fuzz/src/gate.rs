//! Frames between core and gate, and calls of a face.

use daemon::types::method::Call;
use gate::{
    Backend, Blockage, Dial, Frame, Hello, Isolation, MAX_FRAME, Reason, Stage, Status, Vanguards,
};
use wire::Codec;

/// A frame of either side (TOR-3).
pub fn frame(data: &[u8]) {
    if let Ok(frame) = Frame::from_bytes(data) {
        assert!(data.len() <= MAX_FRAME);
        assert_eq!(frame.to_bytes(), data);
    }
}

pub fn frame_seeds() -> Vec<Vec<u8>> {
    let status = Status {
        stage: Stage::Ready,
        fraction: 1000,
        blockage: Blockage::None,
        skew_s: None,
        isolation: Isolation::Confirmed,
        vanguards: Vanguards::Full,
    };
    let hello = Hello {
        epoch: [1; 16],
        version: gate::VERSION,
        backend: Backend::ALL[0],
        vanguards: Vanguards::Full,
        private_network: false,
    };
    let dial = Dial { id: 1, onion: [2; 32], port: 7701, token: [3; 16], deadline_ms: 4 };
    let frames = [
        Frame::Dial(dial),
        Frame::Abort { id: 1 },
        Frame::Hello(hello),
        Frame::Dialled { id: 2 },
        Frame::Failed { id: 3, reason: Reason::ALL[0] },
        Frame::Status(status),
        Frame::Status(Status { skew_s: Some(-5), ..status }),
    ];
    frames.iter().map(Frame::to_bytes).collect()
}

/// The call that a face makes, as the RPC has put it together from a line of JSON: what is read
/// is written and read again as the same call.
pub fn call(data: &[u8]) {
    let Ok(call) = serde_json::from_slice::<Call>(data) else { return };
    let again = serde_json::to_vec(&call).unwrap();
    assert!(serde_json::from_slice::<Call>(&again).is_ok_and(|same| same == call));
}

pub fn call_seeds() -> Vec<Vec<u8>> {
    let params = [
        "{}",
        r#"{"client":"cli","interactive":true}"#,
        r#"{"passphrase":"p","name":"n","mode":"steady","utc_offset_min":-60}"#,
        r#"{"contact":"00112233445566778899aabbccddeeff","text":"h\u00e9"}"#,
    ];
    let call = |method: &&str, params: &str| {
        format!(r#"{{"method":"{method}","params":{params}}}"#).into_bytes()
    };
    Call::METHODS.iter().flat_map(|m| params.map(|p| call(m, p))).collect()
}
