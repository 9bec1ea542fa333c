//! `cargo xtask nopanic`: no decoder can panic, shown on the compiled program.
//!
//! `testing/nopanic` calls each decoder from a function of its own. It is built like a release (overflow checks on, abort on panic) with
//! everything, std included, in one object file after link-time optimisation. In that file every panic that the optimiser could not rule
//! out is a reference to the `Location` it would print, so walking the references from a decoder finds each of them with its line. A
//! line in this project or in std fails the check. What is excused is listed below, and printed for each decoder that needs it.

mod complete;
mod image;
mod judge;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::project::{self, Project};
use judge::{Node, Rules, Verdict, judge};

const MEMORY: &str = "memory";
const BTREE: &str = "BTreeMap";

/// What each excuse means, for the reader of the list.
const EXCUSES: &[(&str, &str)] = &[
    (
        MEMORY,
        "an allocation that fails, or lengths that add up to more than half of the address space",
    ),
    (BTREE, "asserts of std's BTreeMap on its own nodes, which no key or value can break"),
    ("curve25519-dalek", "arithmetic on points and scalars of a fixed size"),
    (
        "graviola",
        "its refusal of a processor that it was asked about before; words of a fixed size",
    ),
    ("libcrux-ml-kem", "arithmetic on polynomials of a fixed size, behind lengths that are types"),
    ("libcrux-ml-dsa", "arithmetic on polynomials of a fixed size, behind lengths that are types"),
    ("libcrux-sha3", "the sponge under the two above and under the checksum of an onion address"),
    ("sha2", "the count of blocks and the index into the last one"),
    ("hkdf", "the count of blocks, bounded by the type of the output"),
    ("cipher", "the count of blocks of a key stream"),
    ("chacha20", "the count of blocks of a key stream"),
    ("poly1305", "the index into the last block"),
    ("data-encoding", "base32 of invites and addresses: the table and the length of its output"),
];

const RULES: Rules = Rules {
    sink: "__rustc::rust_begin_unwind",
    ends: &[
        ("alloc::alloc::handle_alloc_error", MEMORY),
        ("alloc::raw_vec::handle_error", MEMORY),
        ("alloc::raw_vec::capacity_overflow", MEMORY),
    ],
    // The C library.
    known: &[
        "bcmp",
        "calloc",
        "free",
        "log",
        "malloc",
        "memcmp",
        "memcpy",
        "memmove",
        "memset",
        "posix_memalign",
        "realloc",
    ],
    excuse,
};

/// Builds, proves every decoder, and shows that each planted panic is found.
pub(crate) fn run(project: &Project) -> Result<()> {
    let missing = complete::missing(project)?;
    for call in &missing {
        println!("not on the list: {call}");
    }
    if !missing.is_empty() {
        bail!("each decoder gets a function in testing/nopanic/src/decoders.rs");
    }
    let object = project.target().join("nopanic").join("nopanic.o");
    println!(
        "building the decoders in one piece (about 30 s after a change, 2 min the first time)"
    );
    let begun = Instant::now();
    build(project, &object)?;
    let bytes = std::fs::read(&object)
        .with_context(|| format!("no {}: remove its folder and run again", object.display()))?;
    let nodes = image::read(&bytes)?;
    println!("built and read in {:.0} s\n", begun.elapsed().as_secs_f32());

    let (decoders, controls) = (roots(project, "decoders")?, roots(project, "controls")?);
    let mut proved: usize = 0;
    let mut needed = Vec::new();
    for name in &decoders {
        let Verdict { panics, excused } = verdict(&nodes, "decoders", name)?;
        let reasons: Vec<&str> = excused.into_iter().collect();
        if panics.is_empty() {
            proved = proved.saturating_add(1);
            let but = if reasons.is_empty() { "" } else { " but for: " };
            println!("  {name:<24} proved{but}{}", reasons.join(", "));
        }
        for panic in panics {
            println!("  {name:<24} CAN PANIC: {panic}");
        }
        needed.extend(reasons);
    }
    println!("\nexcused:");
    for (name, meaning) in EXCUSES.iter().filter(|(name, _)| needed.contains(name)) {
        println!("  {name:<18} {meaning}");
    }
    let mut caught: usize = 0;
    println!("\nplanted:");
    for name in &controls {
        let found = verdict(&nodes, "controls", name)?.panics;
        caught = caught.saturating_add(usize::from(!found.is_empty()));
        println!("  {name:<24} {}", found.first().map_or("NOT FOUND", String::as_str));
    }
    println!(
        "\nnopanic: decoders={} proved={proved} controls={} caught={caught}",
        decoders.len(),
        controls.len()
    );
    if proved < decoders.len() || caught < controls.len() || controls.is_empty() {
        bail!("a decoder can panic, or a planted panic was not found: see the lines above");
    }
    Ok(())
}

fn build(project: &Project, object: &Path) -> Result<()> {
    let mut cargo = project.cargo(&["rustc", "--locked", "--quiet", "--profile", "nopanic"]);
    cargo.args(["--package", "pvtcoms-nopanic", "--bin", "nopanic", "--"]);
    project::run(cargo.arg(format!("--emit=obj={}", object.display())))
}

/// The functions of a module of `testing/nopanic` that are to be looked at.
fn roots(project: &Project, module: &str) -> Result<Vec<String>> {
    let source = project.read(&format!("testing/nopanic/src/{module}.rs"))?;
    Ok(functions(&source).map(str::to_owned).collect())
}

fn functions(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| line.strip_prefix("pub(crate) fn ")?.split('(').next())
}

fn verdict(nodes: &[Node], module: &str, function: &str) -> Result<Verdict> {
    let name = format!("nopanic::{module}::{function}");
    let root = nodes.iter().position(|node| node.names.contains(&name));
    let root = root.with_context(|| {
        format!("{name} is not in the object: it needs #[inline(never)] and a place in the table")
    })?;
    Ok(judge(nodes, root, &RULES))
}

/// Why a panic at a line of `file`, in a function of these names, is no fault of a decoder.
fn excuse(file: &str, names: &[String]) -> Option<&'static str> {
    if let Some((_, library)) = file.split_once("/registry/src/") {
        // `<index>/<name>-<version>/src/..`
        let package = library.split('/').nth(1)?;
        let (name, _) = package
            .rsplit_once('-')
            .filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))?;
        return EXCUSES.iter().find(|(known, _)| *known == name).map(|(known, _)| *known);
    }
    let (_, std) = file.split_once("/library/")?;
    // Not `btree/map.rs`, where the index operator lies.
    const TREE: [&str; 3] = ["node.rs", "navigate.rs", "map/entry.rs"];
    if std.strip_prefix("alloc/src/collections/btree/").is_some_and(|file| TREE.contains(&file)) {
        return Some(BTREE);
    }
    // `[a, b].concat()` sums the lengths of what lies in memory already.
    let concat = names.iter().all(|name| name == "<[V] as alloc::slice::Concat<T>>::concat");
    (concat && std == "core/src/iter/traits/accum.rs").then_some(MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_libraries_and_the_inside_of_the_tree_are_excused() {
        let of = |file: &str| excuse(file, &["f".to_owned()]);
        assert_eq!(
            of("/root/.cargo/registry/src/index-1f/sha2-0.11.1/src/block_api.rs"),
            Some("sha2")
        );
        assert_eq!(
            of("/h/registry/src/index-1f/libcrux-ml-kem-0.0.11/src/a.rs"),
            Some("libcrux-ml-kem")
        );
        assert_eq!(of("/h/registry/src/index-1f/sha2-extra-0.1.0/src/a.rs"), None);
        assert_eq!(of("/rustc/5980/library/alloc/src/collections/btree/node.rs"), Some(BTREE));
        assert_eq!(of("/rustc/5980/library/alloc/src/collections/btree/map.rs"), None);
        assert_eq!(of("/rustc/5980/library/core/src/slice/index.rs"), None);
        assert_eq!(of("/rustc/5980/library/core/src/iter/traits/accum.rs"), None);
        assert_eq!(of("protocol/wire/src/reader.rs"), None);
    }

    #[test]
    fn sums_are_excused_where_slices_are_joined_and_nowhere_else() {
        let accum = "/rustc/5980/library/core/src/iter/traits/accum.rs";
        let concat = "<[V] as alloc::slice::Concat<T>>::concat".to_owned();
        assert_eq!(excuse(accum, std::slice::from_ref(&concat)), Some(MEMORY));
        assert_eq!(excuse(accum, &[concat, "f".to_owned()]), None);
    }

    #[test]
    fn every_function_of_a_module_is_a_root() {
        let source =
            "fn a() {}\npub(crate) fn one(input: &I) {}\n#[x]\npub(crate) fn two(input: &I) {}\n";
        assert_eq!(functions(source).collect::<Vec<_>>(), ["one", "two"]);
    }
}
