//! What the benchmarks share: a light load of stations, a light CSMS, the proxies under test, and
//! the figures the kernel keeps about a process.

pub mod csms;
pub mod floods;
pub mod link;
pub mod pki;
pub mod process;
pub mod proxies;
pub mod report;
pub mod scene;
pub mod stations;
pub mod workload;
