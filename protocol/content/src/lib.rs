//! What people say: text, receipts, generation and inbox changes.
