//! Address → page, in one table.
