//! Where a PostgreSQL server is, and whether it may be spoken to.

use std::net::{IpAddr, ToSocketAddrs};

use outbound::{Guard, Refusal, Url};

use crate::Unavailable;

/// The address of a PostgreSQL server, as a tenant wrote it.
///
/// A tenant's file is not an operator's, so it is held to the networks that the operator allows, as HTTP destinations
/// are. Names are resolved here and libpq is given the addresses that were looked at: a name cannot change in between.
/// For the same reason libpq only gets what was read and written anew, never the original text, which it might read in
/// another way than we did.
#[derive(Clone)]
pub struct Address {
    url: Url,
    host: String,
    guard: Guard,
}

/// Why an address cannot be used. It never holds the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is none.
    #[error("must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with percent signs for what is special in a URL")]
    Unreadable,
    /// Lists of hosts, sockets and hosts in parameters are not taken.
    #[error("must name one host: a name or an address")]
    Host,
    /// Others change where the connection goes, or read files of this machine.
    #[error("the parameters that may follow are {}", PARAMETERS.join(", "))]
    Parameter,
    /// The server must not be spoken to.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Parameters of libpq that are about how to speak, not with whom.
const PARAMETERS: [&str; 11] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
];

impl Address {
    /// Reads an address, and refuses what can be seen to be wrong without asking a name server.
    ///
    /// # Errors
    /// See [`BadAddress`].
    pub fn new(url: &str, guard: Guard) -> Result<Self, BadAddress> {
        // A plus sign stands for itself here, not for a space as in forms.
        let mut url = Url::parse(&url.replace('+', "%2B")).map_err(|_syntax| BadAddress::Unreadable)?;
        let is_ours = matches!(url.scheme(), "postgres" | "postgresql") && url.fragment().is_none();
        if !is_ours || !is_well_encoded(url.as_str()) {
            return Err(BadAddress::Unreadable);
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if let Ok(address) = host.parse::<IpAddr>() {
            if !guard.allows(address) {
                return Err(BadAddress::Refused(Refusal::Address { host, address }));
            }
        } else if !is_name(&host) {
            return Err(BadAddress::Host);
        }
        if url.query_pairs().any(|(name, _)| !PARAMETERS.contains(&&*name)) {
            return Err(BadAddress::Parameter);
        }
        // Without a slash libpq would take an @ in the parameters for the end of the user's name.
        if url.path().is_empty() {
            url.set_path("/");
        }
        Ok(Self { url, host, guard })
    }

    /// All of it, with its password: to tell one from another.
    pub(super) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// What libpq is told: the name, for certificates, and the addresses to connect to. Blocks while the name is looked
    /// up.
    ///
    /// # Errors
    /// The name is not known, or leads to where we may not connect.
    pub(super) fn resolve(&self) -> Result<String, Unavailable> {
        let mut url = self.url.clone();
        if self.host.parse::<IpAddr>().is_err() {
            let found = (self.host.as_str(), 0).to_socket_addrs();
            let found = found.map_err(|error| Unavailable::new(format!("{} is not found: {error}", self.host)))?;
            let found = found.map(|address| address.ip()).collect();
            let allowed = self.guard.filter(&self.host, found);
            let mut allowed = allowed.map_err(|refusal| Unavailable::new(refusal.to_string()))?;
            // A name server may tell them in another order each time.
            allowed.sort_unstable();
            let names = vec![self.host.as_str(); allowed.len()].join(",");
            let addresses = allowed.iter().map(ToString::to_string).collect::<Vec<String>>().join(",");
            // As many names as addresses: libpq wants pairs.
            url.query_pairs_mut().append_pair("host", &names).append_pair("hostaddr", &addresses);
        }
        Ok(url.into())
    }
}

/// Each percent sign begins a byte. libpq would repeat what it cannot read, and that may be the password.
fn is_well_encoded(url: &str) -> bool {
    url.split('%')
        .skip(1)
        .all(|rest| rest.get(..2).is_some_and(|hex| hex != "00" && hex.bytes().all(|digit| digit.is_ascii_hexdigit())))
}

fn is_name(host: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.bytes().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_guard() -> Guard {
        Guard::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()])
    }

    fn read(url: &str) -> Result<String, BadAddress> {
        Address::new(url, open_guard()).map(|address| address.resolve().unwrap())
    }

    #[test]
    fn libpq_gets_what_was_read() {
        for (url, told) in [
            ("postgres://u:p@10.0.0.1:5433/db?sslmode=require", "postgres://u:p@10.0.0.1:5433/db?sslmode=require"),
            ("postgresql://u:p@[fd00::1]/db", "postgresql://u:p@[fd00::1]/db"),
            ("postgres://u:a+b%2F%40@10.0.0.1/db", "postgres://u:a%2Bb%2F%40@10.0.0.1/db"),
            ("postgres://u:a@b@10.0.0.1/db", "postgres://u:a%40b@10.0.0.1/db"),
            // Here libpq would connect to 10.0.0.9, if it were given as it is.
            ("postgres://10.0.0.1?application_name=@10.0.0.9/", "postgres://10.0.0.1/?application_name=@10.0.0.9/"),
        ] {
            assert_eq!(read(url), Ok(told.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_name_goes_with_the_addresses_that_were_looked_at() {
        let told = read("postgres://u@localhost:5433/db").unwrap();
        assert!(told.starts_with("postgres://u@localhost:5433/db?host=localhost"), "{told}");
        assert!(told.contains("&hostaddr=127.0.0.1") || told.contains("&hostaddr=%3A%3A1"), "{told}");
    }

    #[test]
    fn what_leads_elsewhere_or_cannot_be_read_is_refused() {
        for (url, why) in [
            ("", BadAddress::Unreadable),
            ("https://db/core", BadAddress::Unreadable),
            ("postgres://u:p%zz@db/core", BadAddress::Unreadable),
            ("postgres://u:p%00@db/core", BadAddress::Unreadable),
            ("postgres://u:p#x@db/core", BadAddress::Unreadable),
            ("postgres:///core", BadAddress::Host),
            ("postgres:core", BadAddress::Host),
            ("postgres://%2Fvar%2Frun%2Fpostgresql/core", BadAddress::Host),
            ("postgres://a,b/core", BadAddress::Host),
            ("postgres://db/core?host=10.0.0.9", BadAddress::Parameter),
            ("postgres://db/core?h%6Fstaddr=10.0.0.9", BadAddress::Parameter),
            ("postgres://db/core?service=other", BadAddress::Parameter),
            ("postgres://db/core?sslkey=/etc/shadow", BadAddress::Parameter),
        ] {
            assert_eq!(read(url), Err(why), "{url}");
        }
    }

    #[test]
    fn a_network_must_be_allowed() {
        let guard = || Guard::new(vec!["10.1.0.0/16".parse().unwrap()]);
        for url in ["postgres://u:p@10.0.0.1/db", "postgres://u:p@[::1]/db", "postgres://u:p@127.0.0.1/db"] {
            let refused = Address::new(url, guard()).err();
            assert!(matches!(refused, Some(BadAddress::Refused(Refusal::Address { .. }))), "{url}");
        }
        assert!(Address::new("postgres://u:p@10.1.2.3/db", guard()).is_ok());
        let by_name = Address::new("postgres://u:p@localhost/db", guard()).map(|address| address.resolve());
        let refused = by_name.unwrap().unwrap_err();
        assert!(refused.reason.contains("allowed_networks"), "{refused}");
    }
}
