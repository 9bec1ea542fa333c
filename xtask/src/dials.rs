//! The positive control of TOR-1 and of the rules of `protocol/`: clippy, with this project's own `clippy.toml` files, refuses each thing
//! they list. Clippy is silent about a path that names nothing, so without this a typing error there would go unseen.

use std::collections::BTreeSet;
use std::process::Command;

use toml::{Table, Value};

use crate::project::{Project, output};

const REFUSED: &str = "use of a disallowed method `";

/// The paths in `disallowed-methods` of a `clippy.toml`.
fn listed(project: &Project, file: &str) -> BTreeSet<String> {
    let config: Table = toml::from_str(&project.read(file).unwrap()).unwrap();
    let entries = config.get("disallowed-methods").and_then(Value::as_array).unwrap();
    let path = |entry: &Value| entry.get("path").unwrap_or(entry).as_str().unwrap().to_owned();
    entries.iter().map(path).collect()
}

/// The methods that clippy refuses in the fixture under the configuration in `folder`.
fn refused(project: &Project, folder: &str) -> BTreeSet<String> {
    // Not `fixtures/.`: cargo cannot make that directory where `fixtures` is missing.
    let name = format!("dials-{}", folder.replace(['/', '.'], "-"));
    let mut clippy: Command = project.cargo(&[
        "clippy",
        "--manifest-path",
        "xtask/fixtures/dials/Cargo.toml",
        "--locked",
        "--message-format=json",
    ]);
    clippy.env("CLIPPY_CONF_DIR", project.root().join(folder));
    clippy
        .env("CARGO_TARGET_DIR", project.target().join("fixtures").join(name))
        .env_remove("RUSTFLAGS");
    clippy.args(["--quiet", "--", "--cap-lints=warn", "-W", "clippy::disallowed_methods"]);
    let messages = output(&mut clippy).unwrap();
    let found = messages.split(REFUSED).skip(1).filter_map(|rest| rest.split('`').next());
    found.map(str::to_owned).collect()
}

#[test]
fn tor_1_clippy_refuses_every_way_to_dial_and_resolve() {
    let project = Project::find().unwrap();
    let listed = listed(&project, "clippy.toml");
    assert!(listed.len() >= 10);
    assert_eq!(refused(&project, "."), listed);
}

#[test]
fn clippy_refuses_clocks_dice_disk_and_threads_in_protocol() {
    let project = Project::find().unwrap();
    let listed = listed(&project, "protocol/clippy.toml");
    assert!(listed.contains("std::time::Instant::now"));
    assert_eq!(refused(&project, "protocol"), listed);
}
