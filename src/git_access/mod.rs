//! How to sign in at git hosts: tokens and deploy keys, with the keys of their hosts.
//!
//! What must always hold: a token or key is sealed, and reaches git by a file of the build's folder alone.

/// How to sign in at git hosts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct GitAccesses {}
