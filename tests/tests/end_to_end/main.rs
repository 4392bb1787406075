//! A real `orgbridge serve`, with nothing but a configuration and one tenant file, against a simulated WeCom and a simulated OA.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod outage;
