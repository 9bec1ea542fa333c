//! The object file as a graph: its sections, and who refers to whom.
//!
//! rustc puts every function and every constant into a section of its own, so a relocation from one section to another is a call, a
//! pointer taken, or a constant read. Coarser sections would add edges and never lose one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use object::read::elf::ElfFile64;
use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionIndex, SymbolKind,
};

use super::judge::{Node, Place};

type File<'a> = ElfFile64<'a>;

/// Length of a `core::panic::Location`: pointer(8), length(8), line(4), column(4).
const LOCATION_LEN: usize = 24;

/// Reads an object file for 64-bit Linux: a node for each section, and one for each symbol of another object.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Node>> {
    let file = File::parse(bytes).context("the object file does not parse")?;
    let last = file.sections().map(|s| s.index().0).max().context("an object without sections")?;
    let mut nodes: Vec<Node> = Vec::new();
    nodes.resize_with(last.saturating_add(1), Node::default);
    let mut outside = BTreeMap::new();
    for symbol in file.symbols() {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
        match symbol.section_index() {
            Some(section) if symbol.kind() == SymbolKind::Text => {
                nodes.get_mut(section.0).context("a symbol beyond the sections")?.names.push(name);
            }
            None if symbol.is_undefined() && !name.is_empty() => {
                outside.insert(symbol.index().0, nodes.len());
                nodes.push(Node { names: vec![name], outside: true, ..Node::default() });
            }
            _ => {}
        }
    }
    for section in file.sections() {
        let place = place(&file, section.index())?;
        let node = nodes.get_mut(section.index().0).context("a section beyond the last")?;
        node.place = place;
        for (_, relocation) in section.relocations() {
            let target = match relocation.target() {
                RelocationTarget::Symbol(symbol) => outside
                    .get(&symbol.0)
                    .copied()
                    .or(file.symbol_by_index(symbol)?.section_index().map(|s| s.0)),
                RelocationTarget::Section(section) => Some(section.0),
                _ => None,
            };
            let Some(target) = target else { bail!("a relocation that leads nowhere") };
            node.edges.insert(target);
        }
        if node.names.is_empty() {
            node.names.push(section.name()?.to_owned());
        }
    }
    Ok(nodes)
}

/// The line that a section is the `Location` of: 24 bytes, of which the first 8 point to the name of a source file.
fn place(file: &File<'_>, section: SectionIndex) -> Result<Option<Place>> {
    let section = file.section_by_index(section)?;
    let mut relocations = section.relocations();
    let (Some((0, pointer)), None) = (relocations.next(), relocations.next()) else {
        return Ok(None);
    };
    let Some((_, rest)) = section.data()?.split_first_chunk::<8>() else { return Ok(None) };
    let (Some((len, rest)), true) =
        (rest.split_first_chunk(), section.data()?.len() == LOCATION_LEN)
    else {
        return Ok(None);
    };
    let line = rest.first_chunk().map_or(0, |line| u32::from_le_bytes(*line));
    let (text, base) = match pointer.target() {
        RelocationTarget::Symbol(symbol) => {
            let symbol = file.symbol_by_index(symbol)?;
            (symbol.section_index(), symbol.address())
        }
        RelocationTarget::Section(section) => (Some(section), 0),
        _ => (None, 0),
    };
    let Some(text) = text else { return Ok(None) };
    let start = usize::try_from(i64::try_from(base)?.saturating_add(pointer.addend()));
    let len = usize::try_from(u64::from_le_bytes(*len));
    let (Ok(start), Ok(len)) = (start, len) else { return Ok(None) };
    let name = file.section_by_index(text)?.data()?.get(start..start.saturating_add(len));
    let name = name.and_then(|name| std::str::from_utf8(name).ok());
    Ok(name.filter(|name| name.ends_with(".rs")).map(|name| Place { file: name.to_owned(), line }))
}
