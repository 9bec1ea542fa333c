//! Which panics a function can reach, on a graph of functions and constants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A line of source, taken from the `Location` that a panic would print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u32,
}

/// A function or a constant.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Demangled, without hashes; several if equal functions were folded.
    pub(super) names: Vec<String>,
    /// What it refers to: calls, pointers taken, constants read.
    pub(super) edges: BTreeSet<usize>,
    /// Set if it is the `Location` of a line.
    pub(super) place: Option<Place>,
    /// Defined in another object, so that nothing is known of it.
    pub(super) outside: bool,
}

impl Node {
    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }
}

/// What is not held against a decoder, each with the reason that is printed.
pub(super) struct Rules {
    /// The function that every panic ends in.
    pub(super) sink: &'static str,
    /// Functions at which the walk ends.
    pub(super) ends: &'static [(&'static str, &'static str)],
    /// Functions of other objects that are known not to panic, by the start of their name.
    pub(super) known: &'static [&'static str],
    /// What excuses a panic at `file` in the function with these names.
    pub(super) excuse: fn(file: &str, names: &[String]) -> Option<&'static str>,
}

/// What is known of one root.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Panics that nothing excuses, each with the way that leads there.
    pub(super) panics: Vec<String>,
    /// The reasons that were needed.
    pub(super) excused: BTreeSet<&'static str>,
}

/// Walks everything that `root` can reach and judges every line that a panic there could name.
///
/// Each panic takes a `Location`, and the function that refers to it is the one that can panic: those of a function that hands on its
/// caller's line (`#[track_caller]`) stand in the caller. So every line in reach must be excused. What panics without a line counts
/// against all that call it, up to a function that names lines.
pub(super) fn judge(nodes: &[Node], root: usize, rules: &Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut callers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut lineless: VecDeque<usize> = VecDeque::new();
    let mut named: BTreeSet<usize> = BTreeSet::new();
    let mut queue = VecDeque::from([root]);
    let mut seen = BTreeSet::from([root]);
    while let Some((at, node)) = queue.pop_front().and_then(|at| Some((at, nodes.get(at)?))) {
        if let Some((_, reason)) = rules.ends.iter().find(|(name, _)| node.is(name)) {
            verdict.excused.insert(reason);
            continue;
        }
        let foreign = node.outside
            && !node.names.iter().all(|n| rules.known.iter().any(|known| n.starts_with(known)));
        if foreign {
            verdict.panics.push(format!("{} is not known", way(nodes, &came_from, at)));
        }
        if node.is(rules.sink) {
            lineless.push_back(at);
            continue;
        }
        let mut bad = Vec::new();
        for place in node.edges.iter().filter_map(|edge| nodes.get(*edge)?.place.as_ref()) {
            named.insert(at);
            match (rules.excuse)(&place.file, &node.names) {
                Some(reason) => drop(verdict.excused.insert(reason)),
                None => bad.push(format!("{}:{}", place.file, place.line)),
            }
        }
        if !bad.is_empty() {
            let way = way(nodes, &came_from, at);
            verdict.panics.push(format!("{way} at {}", bad.join(", ")));
        }
        for next in &node.edges {
            callers.entry(*next).or_default().push(at);
            if seen.insert(*next) {
                came_from.insert(*next, at);
                queue.push_back(*next);
            }
        }
    }
    let mut judged: BTreeSet<usize> = BTreeSet::new();
    while let Some(panic) = lineless.pop_front() {
        if panic == root {
            verdict.panics.push("a panic without a line".to_owned());
        }
        for caller in callers.get(&panic).into_iter().flatten() {
            if !named.contains(caller) && judged.insert(*caller) {
                lineless.push_back(*caller);
            }
        }
    }
    verdict
}

/// The functions from the root to `at`.
fn way(nodes: &[Node], came_from: &BTreeMap<usize, usize>, at: usize) -> String {
    let mut names = Vec::new();
    let mut next = Some(at);
    while let Some(at) = next {
        names.extend(nodes.get(at).and_then(|node| node.names.first()).map(String::as_str));
        next = came_from.get(&at).copied();
    }
    names.reverse();
    names.join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        sink: "panic",
        ends: &[("out of memory", "memory")],
        known: &["memcpy"],
        excuse: |file, _| (file == "library.rs").then_some("library"),
    };

    fn function(name: &str, edges: &[usize]) -> Node {
        Node {
            names: vec![name.to_owned()],
            edges: edges.iter().copied().collect(),
            ..Node::default()
        }
    }

    fn line(file: &str) -> Node {
        Node { place: Some(Place { file: file.to_owned(), line: 7 }), ..Node::default() }
    }

    /// 0 root, 1 helper, 2 hands on its caller's line, 3 the sink, 4 a line of ours, 5 a line of the library, 6 out of memory.
    fn graph(root: &[usize], helper: &[usize]) -> Vec<Node> {
        vec![
            function("root", root),
            function("helper", helper),
            function("bounds", &[3]),
            function("panic", &[]),
            line("ours.rs"),
            line("library.rs"),
            function("out of memory", &[3]),
        ]
    }

    #[test]
    fn a_line_of_ours_in_reach_is_a_panic_with_the_way_to_it() {
        let verdict = judge(&graph(&[1], &[2, 4]), 0, &RULES);
        assert_eq!(verdict.panics, ["root -> helper at ours.rs:7"]);
        let verdict = judge(&graph(&[2, 4], &[]), 0, &RULES);
        assert_eq!(verdict.panics, ["root at ours.rs:7"]);
    }

    #[test]
    fn a_panic_without_a_line_is_held_against_the_root() {
        assert_eq!(judge(&graph(&[1], &[2]), 0, &RULES).panics, ["a panic without a line"]);
        assert_eq!(judge(&graph(&[3], &[]), 0, &RULES).panics, ["a panic without a line"]);
    }

    #[test]
    fn excuses_are_named_and_what_is_not_reached_does_not_count() {
        let verdict = judge(&graph(&[1, 6], &[2, 5]), 0, &RULES);
        assert!(verdict.panics.is_empty(), "{verdict:?}");
        assert_eq!(verdict.excused, BTreeSet::from(["library", "memory"]));
        assert_eq!(judge(&graph(&[], &[2, 4]), 0, &RULES), Verdict::default());
    }

    #[test]
    fn both_a_line_of_ours_and_one_of_the_library_is_a_panic() {
        assert_eq!(judge(&graph(&[1], &[2, 4, 5]), 0, &RULES).panics.len(), 1);
    }

    #[test]
    fn functions_of_other_objects_must_be_known() {
        let mut nodes = graph(&[7], &[]);
        nodes.push(Node { outside: true, ..function("memcpy", &[]) });
        assert!(judge(&nodes, 0, &RULES).panics.is_empty());
        nodes.pop();
        nodes.push(Node { outside: true, ..function("mystery", &[]) });
        assert_eq!(judge(&nodes, 0, &RULES).panics, ["root -> mystery is not known"]);
    }
}
