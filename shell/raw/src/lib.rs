//! The only crate with `unsafe` code: inherited descriptors.

use rustix::io::FdFlags;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Mutex;

/// Descriptors that were taken already: ownership of one can be claimed once.
static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// Takes ownership of descriptor `fd`, which the parent process left open for this one.
///
/// Sets close-on-exec. Call it before anything else opens descriptors, so that the number cannot
/// belong to somebody else in this process.
///
/// # Errors
/// If `fd` is a standard stream, was taken before, or is not open.
#[expect(unsafe_code, reason = "a number becomes a descriptor nowhere else")]
pub fn inherited_fd(fd: RawFd) -> io::Result<OwnedFd> {
    if fd <= 2 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a standard stream is not taken"));
    }
    let mut taken = TAKEN.lock().map_err(|_| io::Error::other("another thread failed"))?;
    if taken.contains(&fd) {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "descriptor was taken before"));
    }
    // SAFETY: the borrow only asks the kernel for flags; a number that is not open gives EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_setfd(borrowed, FdFlags::CLOEXEC)?;
    taken.push(fd);
    // SAFETY: the descriptor is open (asked above), it was inherited (the caller's duty, stated
    // in the contract), and `TAKEN` makes this the only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{AsRawFd, IntoRawFd};

    #[test]
    fn descriptor_is_taken_once_and_only_if_open() {
        assert!(inherited_fd(1).is_err());
        assert!(inherited_fd(9999).is_err());
        let fd = std::fs::File::open("/dev/null").expect("opens").into_raw_fd();
        let owned = inherited_fd(fd).expect("is open");
        assert_eq!(owned.as_raw_fd(), fd);
        assert!(inherited_fd(fd).is_err());
    }
}
