use super::*;
use crate::outbox::{Deposit, Sealed};
use content::{Part, Timer};
use proptest::prelude::*;

fn item(order: u64, owner: Owner, load: Load, queued: u64, boxes: u8) -> Item {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&order.to_be_bytes());
    let deposits = (0..boxes).map(|m| Deposit::new([m; 32])).collect();
    Item { id, order, owner, load, queued, sealed: None, repeats: 0, left: false, deposits }
}

fn part(message: u8, seq: u32) -> Load {
    let message = [message; 16];
    let (index, count, total, sent, timer) = (0, 1, 1, 0, Timer::OFF);
    Load::Part(Part { message, seq, floor: 0, index, count, total, sent, timer, bytes: vec![1] })
}

fn owner(n: u8) -> Owner {
    if n == 0 { Owner::Pairing([9; 16]) } else { Owner::Contact([n; 16]) }
}

/// Which groups may leave, for the comparison: any function of the group will do.
fn may(rule: u8, group: &Group) -> bool {
    match rule {
        0 => true,
        1 => group.sealed || !group.first,
        2 => !group.tired && group.owner != owner(1),
        _ => group.owner == owner(0),
    }
}

fn group_of(item: &Item, deposit: &Deposit) -> Group {
    Group {
        owner: item.owner,
        sealed: item.sealed.is_some(),
        first: item.repeats == 0 && item.message().is_some(),
        tired: deposit.tries >= FAST_TRIES,
    }
}

/// Every question again, by walking over all items.
fn compare(outbox: &Outbox, rule: u8, time: u64) -> Result<(), TestCaseError> {
    let all: Vec<&Item> = outbox.items.values().collect();
    let ids = |items: &mut dyn Iterator<Item = &Item>| items.map(|i| i.order).collect::<Vec<_>>();
    let which = |keep: &dyn Fn(&Item) -> bool| -> Vec<u64> {
        all.iter().filter(|i| keep(i)).map(|i| i.order).collect()
    };
    for n in 0..4 {
        let who = owner(n);
        prop_assert_eq!(ids(&mut outbox.of(who)), which(&|i| i.owner == who));
        let Owner::Contact(contact) = who else { continue };
        prop_assert_eq!(
            ids(&mut outbox.receipts(contact)),
            which(&|i| i.owner == who && matches!(i.load, Load::Receipt))
        );
        prop_assert_eq!(
            ids(&mut outbox.floors(contact)),
            which(&|i| i.owner == who && matches!(i.load, Load::Floor))
        );
        let numbers = all.iter().filter(|i| i.owner == who).filter_map(|i| match &i.load {
            Load::Part(part) => Some(part.seq),
            _ => None,
        });
        prop_assert_eq!(outbox.lowest_number(contact), numbers.min());
        let unsaid = all.iter().filter(|i| i.owner == who && i.first() && i.sealed.is_none());
        let numbers = unsaid.filter_map(|item| match &item.load {
            Load::Part(part) => Some(part.seq),
            _ => None,
        });
        prop_assert_eq!(outbox.next_number(contact), numbers.min());
        for message in 0..3 {
            let message = [message; 16];
            prop_assert_eq!(
                ids(&mut outbox.of_message(contact, message)),
                which(&|i| i.owner == who && i.message() == Some(message))
            );
        }
    }
    let mut old = ids(&mut outbox.queued_before(time));
    old.sort_unstable();
    prop_assert_eq!(old, which(&|i| i.message().is_some() && i.queued < time));
    let mut late = ids(&mut outbox.repeats_before(time));
    late.sort_unstable();
    let due = |i: &Item| i.repeat_at().is_some_and(|at| at < time) && i.owner != owner(0);
    prop_assert_eq!(late, which(&due));
    let missing: Vec<OnionKey> = outbox.missing().collect();
    for m in 0..3 {
        let key = [m; 32];
        let lacks = |i: &&&Item| i.deposits.iter().any(|d| d.mailbox == key && !d.stored);
        prop_assert_eq!(missing.contains(&key), all.iter().any(|i| lacks(&i)));
        let waits = |i: &Item| {
            let copy = i.deposits.iter().find(|d| d.mailbox == key && !d.stored && !d.busy);
            copy.is_some_and(|d| may(rule, &group_of(i, d)))
        };
        let first = all.iter().find(|i| waits(i) && !i.stored());
        let oldest = first.or_else(|| all.iter().find(|i| waits(i))).map(|i| i.id);
        prop_assert_eq!(outbox.oldest(&key, |g| may(rule, g)), oldest);
        let count = which(&waits).len();
        prop_assert_eq!(outbox.waiting(&key, 3, |g| may(rule, g)), count.min(3));
    }
    Ok(())
}

proptest! {
    #[test]
    fn eng_6_brd_33_brd_41_the_index_says_what_a_walk_over_all_items_says(
        steps in proptest::collection::vec((0_u8..9, 0_u8..4, 0_u8..3, 0_u64..40), 1..50),
        rule in 0_u8..4,
        time in 0_u64..60_000,
    ) {
        let mut outbox = Outbox::default();
        for (what, who, m, k) in steps {
            let id = outbox.items.values().map(|i| i.id).nth(usize::try_from(k).unwrap());
            let (order, number) = (outbox.next_order(), u32::try_from(k).unwrap());
            match (what, id) {
                (0..3, _) | (_, None) => {
                    let load = match what {
                        _ if who == 0 => Load::Handshake,
                        0 if k % 2 == 0 => Load::Floor,
                        0 => Load::Receipt,
                        _ => part(m, number),
                    };
                    outbox.insert(item(order, owner(who), load, k.saturating_mul(1000), m.saturating_add(1)));
                }
                (3, Some(id)) => {
                    outbox.remove(&id);
                }
                (4, Some(id)) => {
                    outbox.change(&id, |i| i.sealed = Some(Sealed { g: 0, n: number, at: k.saturating_mul(1000) }));
                }
                (5, Some(id)) => {
                    outbox.change(&id, |i| i.deposit_mut(&[m; 32]).map(|d| d.stored = true));
                }
                (6, Some(id)) => {
                    outbox.change(&id, |i| {
                        if let Some(d) = i.deposit_mut(&[m; 32]) {
                            d.busy = !d.busy;
                            d.tries = d.tries.saturating_add(FAST_TRIES / 2);
                        }
                    });
                }
                (7, Some(id)) => {
                    outbox.change(&id, |i| i.unseal(&[[m; 32], [2; 32]]));
                }
                (_, Some(id)) => {
                    outbox.change(&id, |i| {
                        i.repeats = i.repeats.saturating_add(1);
                        if let Load::Part(part) = &mut i.load {
                            part.seq = u32::from(m);
                        }
                    });
                }
            }
            compare(&outbox, rule, time)?;
        }
    }
}
