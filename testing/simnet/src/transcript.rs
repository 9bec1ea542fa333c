use board::envelope::Envelope;
use board::frame::Window;

/// What an operation asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// An envelope was put.
    Put(Envelope),
    /// A chunk was fetched.
    Fetch {
        /// Page number.
        page: u64,
        /// Chunk in the page.
        chunk: u16,
    },
    /// A digest was asked for.
    Digest(Window),
}

/// One operation as it left a client.
#[derive(Clone)]
pub struct Record {
    /// When, virtual milliseconds.
    pub at: u64,
    /// Which client: the truth, which no mailbox knows.
    pub client: usize,
    /// Which mailbox.
    pub mailbox: usize,
    /// Its isolation token.
    pub token: [u8; 16],
    /// What it asked for.
    pub kind: Kind,
    /// Bytes of the request.
    pub size: usize,
}

impl Record {
    /// What T0 compares: time, client, mailbox, operation with its window, size.
    #[must_use]
    pub fn outline(&self) -> (u64, usize, usize, String, usize) {
        let kind = match &self.kind {
            Kind::Put(_) => "put".to_owned(),
            Kind::Fetch { .. } => "fetch".to_owned(),
            Kind::Digest(window) => format!("{window:?}"),
        };
        (self.at, self.client, self.mailbox, kind, self.size)
    }
}
