//! stub
/// x
#[derive(Debug)]
pub struct Row { /// x
 pub id: String, /// x
 pub class: String, /// x
 pub severity: crate::diag::Severity, /// x
 pub effect: String, /// x
 pub instead: String }
