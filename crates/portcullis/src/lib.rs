//! The program: it reads what the operator wrote, keeps the register, and wires the rooms together.

pub mod config;
mod nearest;
mod problem;

pub use problem::{Exit, Failure, Problem};
