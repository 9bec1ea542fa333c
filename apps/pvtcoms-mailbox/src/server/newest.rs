use super::Shared;
use crate::clock;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Holds the pages of the last ten minutes, and from here on each page as it closes.
pub(super) async fn hold(shared: Arc<Shared>) {
    let mut closed = shared.closed.clone();
    let mut next = shared.desk.newest(clock::now()).start;
    loop {
        let open = *closed.borrow_and_update();
        for page in next..open {
            let ask = Arc::clone(&shared);
            let _taken = spawn_blocking(move || ask.desk.take_in(page)).await;
        }
        shared.desk.forget_expired();
        next = open.max(next);
        if closed.changed().await.is_err() {
            shared.desk.recent().end();
            return;
        }
    }
}
