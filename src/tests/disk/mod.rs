//! A real disk that is full: nothing acknowledged is lost, reading goes on, writing goes on by itself when there is room, and
//! builds aren't begun.

mod database;
mod guard;
mod pages;
mod tmpfs;
