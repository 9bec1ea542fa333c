/// Mistakes that are planted around a sound engine, so that a check is seen to catch them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// What a step lets out leaves before the step is on the disk: writes are synced now and then,
    /// and a crash takes back what was not.
    AckBeforeSave,
    /// The store deletes a message when it is read, before the reader has said that it has it.
    DeleteOnRead,
    /// Which messages have come is not saved.
    ForgetMids,
    /// What waits to be sent is written beside the transaction of its step, and synced now and
    /// then.
    OutboxApart,
}
