//! A real `orgbridge serve`, with nothing but a configuration and one tenant file, against a simulated WeCom and a simulated OA.

mod agreement;
mod orders;
mod outage;
