//! The tables that `build.rs` made of `crates/ocpp/catalogue/*.facts`.

use super::names::{Name, Names};
use super::words::Words;
use super::{ActionFacts, Choice, Field, Kind, Schema, Sender};
use crate::{Meaning, Version};

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
