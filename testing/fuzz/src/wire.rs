//! The reader itself.

use wire::{Malformed, Reader};

/// A program of reads over some bytes; a position in the same bytes says what each must give.
///
/// `length of the program(1) ‖ program ‖ bytes`
pub fn reader(data: &[u8]) {
    let Some((len, rest)) = data.split_first() else { return };
    let (program, bytes) = rest.split_at(usize::from(*len).min(rest.len()));
    let mut r = Reader::new(bytes);
    let mut left = bytes;
    for op in program {
        let n = if *op >= 250 { usize::MAX } else { usize::from(op / 10) };
        let before = left;
        let (got, want) = match op % 10 {
            0 => (r.u8().map(u64::from), number(&mut left, 1)),
            1 => (r.u16().map(u64::from), number(&mut left, 2)),
            2 => (r.u32().map(u64::from), number(&mut left, 4)),
            3 => (r.u64(), number(&mut left, 8)),
            4 => (r.array::<7>().map(|a| a.len() as u64), cut(&mut left, 7).map(|_| 7)),
            5 => {
                let got = r.take(n);
                let want = cut(&mut left, n);
                assert_eq!(got, want);
                continue;
            }
            6 => {
                let got = r.sub(n).map(|mut sub| (sub.remaining(), sub.rest()));
                assert_eq!(got, cut(&mut left, n).map(|want| (want.len(), want)));
                continue;
            }
            7 => {
                let want = cut(&mut left, n).and_then(|zeros| {
                    zeros.iter().all(|b| *b == 0).then_some(()).ok_or(Malformed::Reserved)
                });
                assert_eq!(r.zeros(n), want);
                continue;
            }
            8 => (Ok(r.remaining() as u64), Ok(left.len() as u64)),
            _ => {
                assert_eq!(r.rest(), left);
                left = &[];
                continue;
            }
        };
        assert_eq!(got, want);
        assert_eq!(r.remaining(), left.len());
        assert!(got.is_ok() || left == before, "a read that fails takes nothing");
    }
    assert_eq!(r.finish().is_ok(), left.is_empty());
}

fn cut<'a>(left: &mut &'a [u8], n: usize) -> Result<&'a [u8], Malformed> {
    if n > left.len() {
        return Err(Malformed::Short);
    }
    let (head, tail) = left.split_at(n);
    *left = tail;
    Ok(head)
}

fn number(left: &mut &[u8], n: usize) -> Result<u64, Malformed> {
    cut(left, n).map(|bytes| bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)))
}

pub fn reader_seeds() -> Vec<Vec<u8>> {
    let program: Vec<u8> = (0..10).chain([53, 45, 57, 255, 9]).collect();
    let bytes = (0..64).map(|i| if i % 3 == 0 { 0 } else { i });
    let whole = [program.len() as u8].into_iter().chain(program.iter().copied()).chain(bytes);
    vec![whole.collect()]
}
