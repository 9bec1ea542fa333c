//! The hash tree over the chunks of a page (BRD-14).
//!
//! `leaf j = H(0x00 ‖ H(env_0) ‖ … ‖ H(env_7))`, `node = H(0x01 ‖ left ‖ right)`, padded with zero
//! leaves (32 zero bytes) to a power of two of at most 2^14. The root of no leaf is the zero leaf.

use crate::page::CHUNK;
use core::mem;
use crypto::{HASH_LEN, hash};

/// A SHA-256 digest.
pub type Hash = [u8; HASH_LEN];

/// Levels of the highest tree: 2^14 chunks of 8 envelopes.
pub const MAX_DEPTH: usize = 14;

const ZERO_LEAF: Hash = [0; HASH_LEN];

/// The leaf of one chunk, from the digests of its envelopes.
#[must_use]
pub fn leaf(digests: &[Hash; CHUNK]) -> Hash {
    hash(&[&[0], digests.as_flattened()])
}

/// Levels above the leaves of a page with `chunks` chunks; 0 for none or one.
#[must_use]
pub fn depth(chunks: u32) -> u8 {
    // A power of two of at most 2^31 has at most 31 trailing zeros.
    let padded = chunks.max(1).checked_next_power_of_two().unwrap_or(1 << 31);
    u8::try_from(padded.trailing_zeros()).unwrap_or(u8::MAX)
}

/// The tree over the chunks of one page.
pub struct Tree {
    /// From the leaves up, without the zeros of the padding.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Hashes up from `leaves`.
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        let (mut levels, mut level, mut zero) = (Vec::new(), leaves, ZERO_LEAF);
        while level.len() > 1 {
            let above = parents(&level, &zero);
            zero = node(&zero, &zero);
            levels.push(mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or(ZERO_LEAF)
    }

    /// The siblings on the way from leaf `index` to the root, lowest first; `None` beyond the
    /// leaves.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Vec<Hash>> {
        let (_top, below) = self.levels.split_last()?;
        let _exists = self.levels.first()?.get(index)?;
        let (mut at, mut zero) = (index, ZERO_LEAF);
        let path = below.iter().map(|level| {
            let sibling = level.get(at ^ 1).copied().unwrap_or(zero);
            zero = node(&zero, &zero);
            at >>= 1;
            sibling
        });
        Some(path.collect())
    }
}

/// The root that `leaf` leads to from place `index` along `path`.
#[must_use]
pub fn climb(leaf: &Hash, index: u16, path: &[Hash]) -> Hash {
    let mut at = index;
    path.iter().fold(*leaf, |below, sibling| {
        let above = if at & 1 == 0 { node(&below, sibling) } else { node(sibling, &below) };
        at >>= 1;
        above
    })
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// The next level; `zero` is the root of a subtree of zero leaves of this level's height.
fn parents(level: &[Hash], zero: &Hash) -> Vec<Hash> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            [left] => node(left, zero),
            _ => *zero,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of BRD-14 read literally: pad the leaves, then halve.
    fn padded_root(leaves: &[Hash]) -> Hash {
        let mut level = leaves.to_vec();
        level.resize(leaves.len().max(1).next_power_of_two(), ZERO_LEAF);
        while level.len() > 1 {
            level = level.chunks(2).map(|p| node(&p[0], &p[1])).collect();
        }
        level[0]
    }

    fn leaves(n: u8) -> Vec<Hash> {
        (0..n).map(|i| leaf(&[[i; 32]; CHUNK])).collect()
    }

    #[test]
    fn brd_14_root_is_that_of_the_padded_tree() {
        for n in 0..=35 {
            assert_eq!(Tree::new(leaves(n)).root(), padded_root(&leaves(n)), "{n} leaves");
        }
    }

    #[test]
    fn brd_14_every_path_leads_to_the_root_and_no_other_leaf_does() {
        for n in 1..=35_u8 {
            let leaves = leaves(n);
            let tree = Tree::new(leaves.clone());
            for i in 0..n {
                let path = tree.path(i.into()).unwrap();
                assert_eq!(path.len(), usize::from(depth(n.into())));
                assert_eq!(climb(&leaves[usize::from(i)], i.into(), &path), tree.root());
                assert_ne!(climb(&[9; 32], i.into(), &path), tree.root());
                if n > 1 {
                    assert_ne!(
                        climb(&leaves[usize::from(i)], u16::from(i) ^ 1, &path),
                        tree.root()
                    );
                }
            }
            assert_eq!(tree.path(n.into()), None);
        }
    }

    #[test]
    fn brd_14_depth_is_at_most_14() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(depth), [0, 0, 1, 2, 2, 3]);
        assert_eq!(usize::from(depth(1 << 14)), MAX_DEPTH);
        assert_eq!(depth(u32::MAX), 31);
    }
}
