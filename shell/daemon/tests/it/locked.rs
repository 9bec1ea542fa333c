//! Before the profile is open, and around its opening.

use super::face::{Face, PATIENCE};
use super::world::{PASSPHRASE, World};
use daemon::types::{MAX_LINE, RPC_VERSION};
use daemon::{Exit, StartError};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread::spawn;
use std::time::Duration;
use store::StoreError;

const METHODS_OF_A_LOCKED_CORE: [&str; 7] =
    ["hello", "create", "unlock", "status", "shutdown", "restore", "transfer"];

#[test]
fn rpc_2_rpc_3_hello_comes_first_and_only_known_methods_are_served() {
    let world = World::new();
    let core = world.core("alice");
    let mut face = Face::stranger(&core.socket);
    assert_eq!(face.err("status", json!({})), (-32001, "wrong_use".to_owned()));
    let welcome = face.ok("hello", json!({ "client": "test", "interactive": false }));
    assert_eq!((&welcome["v"], &welcome["profile"]), (&json!(RPC_VERSION), &json!("absent")));
    assert_eq!(face.err("export.keys", json!({})).0, -32601);
    assert_eq!(face.err("send", json!({ "contact": 1 })).0, -32602);
    assert_eq!(face.raw("nonsense")["error"]["code"], -32700);
    assert_eq!(face.raw("[]")["error"]["code"], -32600);
    // A connection survives all of that.
    assert_eq!(face.ok("status", json!({}))["profile"], "absent");
}

#[test]
fn rpc_5_rpc_7_nothing_but_seven_methods_while_locked() {
    let world = World::new();
    let core = world.core("alice");
    let mut face = core.face();
    let params: Value = json!({
        "name": "x", "hours": 1, "id": "", "uri": "x", "contact": "x", "words": ["a", "b", "c"],
        "text": "x", "message": "m_00", "limit": 1, "address": "x", "through": "e_1",
        "mode": "fast", "pace": "every_30", "file": "/x", "path": "/x", "passphrase": "x", "days": 1, "seconds": 300,
    });
    let mut refused = 0;
    for method in daemon::types::method::Call::METHODS {
        if !METHODS_OF_A_LOCKED_CORE.contains(&method) {
            assert_eq!(face.err(method, params.clone()), (-32006, "locked".to_owned()), "{method}");
            refused += 1;
        }
    }
    assert_eq!(refused, 32);
    assert_eq!(world.dials(), 0); // RPC-7; control: rpc_6_sto_17_lock_ends_the_core…
    let status = face.ok("status", json!({}));
    assert!(status["line"].as_str().unwrap().contains("PRIVATE TEST NETWORK"), "{status}");
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("process isolation is not active"), "{warnings}");
    assert!(warnings.contains("passphrase is the only lock"), "{warnings}");
}

#[test]
fn rpc_1_more_than_64_connections_wait_their_turn() {
    let world = World::new();
    let core = world.core("alice");
    let mut served: Vec<Face> = (0..64).map(|_| core.face()).collect();
    let mut late = Face::stranger(&core.socket);
    late.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n");
    late.patience(Duration::from_millis(500));
    assert!(late.line().is_none(), "the 65th is not served while 64 are");
    drop(served.pop());
    late.patience(PATIENCE);
    assert_eq!(late.line().unwrap()["error"]["code"], -32001, "now it is, and hello is missing");
}

#[test]
fn rpc_2_an_overlong_line_ends_the_connection_and_nothing_else() {
    let world = World::new();
    let core = world.core("alice");
    let mut other = core.face();
    let mut face = core.face();
    face.write(&vec![b'x'; MAX_LINE + 1]);
    assert_eq!(face.line().unwrap()["error"]["code"], -32600);
    assert!(face.line().is_none());
    assert_eq!(other.ok("status", json!({}))["profile"], "absent");
}

#[test]
fn rpc_4_a_face_that_does_not_read_delays_nobody_else() {
    let world = World::new();
    let mut core = world.core("alice");
    let mut other = core.face();
    let mut slow = core.face();
    // More answers than all buffers on the way hold.
    let asking = spawn(move || {
        let ask = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";
        (0..20_000).take_while(|_| slow.try_write(ask)).count()
    });
    for _ in 0..100 {
        assert_eq!(other.ok("status", json!({}))["profile"], "absent");
    }
    assert!(!asking.is_finished(), "the slow face was never held up");
    core.orphan();
    assert!(asking.join().unwrap() < 20_000);
}

#[test]
fn rpc_3_words_are_for_interactive_faces() {
    let world = World::new();
    let core = world.core("alice");
    let mut face = Face::stranger(&core.socket);
    face.ok("hello", json!({ "client": "bot", "interactive": false }));
    let refused = (-32004, "unverified".to_owned());
    assert_eq!(face.err("verify.begin", json!({ "contact": "x" })), refused);
    let words = json!({ "contact": "x", "words": ["a", "b", "c"] });
    assert_eq!(face.err("verify.words", words), refused);
}

#[test]
fn rpc_6_sto_17_lock_ends_the_core_and_the_next_one_opens_with_the_passphrase_alone() {
    let world = World::new();
    let mut core = world.core("alice");
    let mut face = core.create("Alice", "steady");
    let again = json!({ "passphrase": "x", "name": "", "mode": "fast" });
    assert_eq!(face.err("create", again), (-32001, "profile".to_owned()));
    assert_eq!(face.err("unlock", json!({ "passphrase": "x" })).1, "profile");
    face.ok("mailbox.add", json!({ "address": world.address() }));
    face.ok("lock", json!({}));
    assert!(face.line().is_none(), "the connection ends");
    assert_eq!(core.ended().unwrap(), Exit::Locked);

    core.start(&world);
    let mut face = core.face();
    assert_eq!(face.ok("status", json!({}))["profile"], "locked");
    let wrong = json!({ "passphrase": "a passphrase of six quite random word" });
    assert_eq!(face.err("unlock", wrong), (-32006, "wrong_passphrase".to_owned()));
    assert_eq!(face.err("mailbox.list", json!({})).1, "locked");
    face.ok("unlock", json!({ "passphrase": PASSPHRASE }));
    let mailboxes = face.ok("mailbox.list", json!({}));
    assert_eq!(mailboxes[0]["address"], world.address());
    let before = world.dials();
    // PRD-1: the line turns into evidence of a round trip.
    let status = face.until("status", &json!({}), |status| {
        status["line"].as_str().is_some_and(|line| line.contains("mailbox A answered"))
    });
    assert!(!status.to_string().contains("connected"));
    assert!(world.dials() > before);
    face.ok("shutdown", json!({}));
    assert_eq!(core.ended().unwrap(), Exit::Shutdown);
}

#[test]
fn rpc_6_sto_17_one_core_a_profile_and_none_without_a_supervisor() {
    let world = World::new();
    let mut first = world.core("alice");
    first.create("Alice", "steady");
    let mut second = world.core("other");
    second.orphan();
    second.data.clone_from(&first.data);
    second.start(&world);
    assert!(matches!(second.ended(), Err(StartError::Profile(StoreError::InUse))));
    assert_eq!(first.orphan(), Exit::Ended);
    second.start(&world);
    assert_eq!(second.face().ok("status", json!({}))["profile"], "locked");
}

/// Asks for a status and prints the answer's line, or nothing.
const ASK: &str = r#"
    socket(S, PF_UNIX, SOCK_STREAM, 0) or die; connect(S, pack_sockaddr_un($ARGV[0])) or die;
    my $hello = '{"jsonrpc":"2.0","id":1,"method":"hello",';
    $hello .= '"params":{"client":"perl","interactive":false}}' . "\n";
    $SIG{PIPE} = 'IGNORE'; syswrite(S, $hello); my $line = <S>; print $line if defined $line;
"#;

#[test]
fn rpc_1_sbx_2_another_user_is_not_served() {
    let world = World::new();
    let core = world.core("alice");
    // Everybody may reach the socket: what refuses is the core.
    for path in [world.home.path(), &core.socket] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let ask = |uid: Option<u32>| {
        let mut perl = Command::new("perl");
        perl.args(["-MSocket", "-e", ASK]).arg(&core.socket);
        if let Some(uid) = uid {
            perl.uid(uid).gid(uid).current_dir("/");
        }
        let output = perl.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    assert!(String::from_utf8(ask(None)).unwrap().contains("\"profile\":\"absent\"")); // control
    if rustix::process::getuid().is_root() {
        assert_eq!(ask(Some(65_534)), b"");
    } else {
        println!("not root: no other user to try");
    }
}

/// A core that ends while its database is being opened is there until that has ended: the next
/// one finds a profile that nobody works at, and SQLCipher's heap is not freed under the thread.
#[test]
fn rpc_6_sto_17_nothing_is_opened_any_more_once_the_core_has_ended() {
    let world = World::new();
    for wait in [0, 20, 50, 80] {
        let mut core = world.core(&format!("after {wait} ms"));
        let mut face = core.face();
        let create = json!({
            "jsonrpc": "2.0", "id": 9, "method": "create",
            "params": { "passphrase": PASSPHRASE, "name": "Alice", "mode": "steady" },
        });
        face.write(format!("{create}\n").as_bytes());
        std::thread::sleep(Duration::from_millis(wait));
        assert_eq!(core.orphan(), Exit::Ended);
        let files = || {
            let mut names: Vec<_> =
                core.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let left = files();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(files(), left);
    }
}
