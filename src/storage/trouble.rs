//! Failures that are the disk's: it is full, or nothing can be written to it. What was acknowledged is safe then, what wasn't
//! is not there, and the next write works as soon as the disk takes it.

use std::error::Error;
use std::io::ErrorKind;

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room, or no file can be made any more.
    Full,
    /// It is read-only, or broken.
    Unwritable,
}

/// What is wrong with the disk, if that is what a failure comes from.
pub fn trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let mut next = Some(error);
    while let Some(error) = next {
        let found = match error.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Database(database)) => database.code().and_then(|code| of_sqlite(code.parse().ok()?)),
            Some(sqlx::Error::Io(error)) => of_io(error),
            _ => error.downcast_ref::<std::io::Error>().and_then(of_io),
        };
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

/// By SQLite's extended codes.
fn of_sqlite(code: i32) -> Option<Trouble> {
    match (code & 0xff, code >> 8) {
        // SQLITE_FULL.
        (13, _) => Some(Trouble::Full),
        // SQLITE_IOERR: write, sync, sync of the folder, truncate, delete; the shared memory of the log; and, as SQLite
        // has no further word for a full disk there, opening and growing that.
        (10, 3..=6 | 10 | 18 | 19 | 20) => Some(Trouble::Unwritable),
        // SQLITE_READONLY.
        (8, _) => Some(Trouble::Unwritable),
        _ => None,
    }
}

fn of_io(error: &std::io::Error) -> Option<Trouble> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Trouble::Full),
        ErrorKind::ReadOnlyFilesystem => Some(Trouble::Unwritable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;

    #[test]
    fn the_disk_is_found_below_other_errors_and_nothing_else_is() {
        let full = std::io::Error::from_raw_os_error(28);
        assert_eq!(trouble(&full), Some(Trouble::Full));
        assert_eq!(trouble(&StorageError::Sqlite(sqlx::Error::Io(full))), Some(Trouble::Full));
        assert_eq!(trouble(&std::io::Error::from_raw_os_error(30)), Some(Trouble::Unwritable));
        assert_eq!(trouble(&std::io::Error::from(ErrorKind::NotFound)), None);
        assert_eq!(trouble(&StorageError::Sqlite(sqlx::Error::PoolTimedOut)), None);
        // FULL, IOERR_WRITE, IOERR_READ, CONSTRAINT_UNIQUE, READONLY_DBMOVED, BUSY.
        let codes = [13, 778, 266, 2067, 1032, 5].map(of_sqlite);
        let (full, unwritable) = (Some(Trouble::Full), Some(Trouble::Unwritable));
        assert_eq!(codes, [full, unwritable, None, None, unwritable, None]);
    }
}
