//! `docs/reliability.md`: every row of its tables names tests that exist, or says that nothing shows it.

/// How the last cell of a row begins that nothing shows.
const NOT_COVERED: &str = "not covered";

/// Returns the number of rows and what is wrong with them, as `line: fault`; `missing` says why a piece of evidence does not exist.
pub(super) fn check(page: &str, missing: impl Fn(&str) -> Option<String>) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut rows: usize = 0;
    for (number, cells) in (1_usize..).zip(page.lines()).filter_map(|(n, l)| Some((n, cells(l)?))) {
        let Some(shown_by) = cells.last() else { continue };
        rows = rows.saturating_add(1);
        let items: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if items.is_empty() && !shown_by.starts_with(NOT_COVERED) {
            wrong.push(format!("{number}: names no test and does not say `{NOT_COVERED}`"));
        }
        let faults = items.into_iter().filter_map(&missing);
        wrong.extend(faults.map(|fault| format!("{number}: {fault}")));
    }
    (rows, wrong)
}

/// The cells of a row of a table; `None` for a heading and for other text.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let heading =
        cells.first() == Some(&"fault") || cells.iter().all(|cell| cell.starts_with("--"));
    (!heading).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(row: &str) -> Vec<String> {
        let page = format!("text\n\n| fault | shown by |\n|---|---|\n{row}\n");
        let there = ["sto_24_a_full_disk", "cargo xtask soak"];
        let missing =
            |item: &str| (!there.contains(&item)).then(|| format!("`{item}` does not exist"));
        let (rows, wrong) = check(&page, missing);
        assert_eq!(rows, 1);
        wrong
    }

    #[test]
    fn a_fault_names_its_test_or_says_that_nothing_shows_it() {
        for row in [
            "| disk full | `sto_24_a_full_disk` |",
            "| killed | any moment | `sto_24_a_full_disk`, `cargo xtask soak` |",
            "| running twice | not covered: belongs to restore |",
        ] {
            assert_eq!(wrong(row), Vec::<String>::new(), "{row}");
        }
        for (row, fault) in [
            ("| disk full | `no_such_test` |", "`no_such_test` does not exist"),
            ("| disk full | trust me |", "names no test"),
            ("| disk full | |", "names no test"),
        ] {
            let found = wrong(row);
            assert!(matches!(found.as_slice(), [one] if one.contains(fault)), "{row}: {found:?}");
            assert!(found.iter().all(|fault| fault.starts_with("5: ")), "{found:?}");
        }
    }
}
