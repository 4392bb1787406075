use super::*;

/// A hostile URL, and what an operator would have to list for it to be meant.
const HOSTILE: &[(&str, &str)] = &[
    // private
    ("http://10.0.0.1/", "10.0.0.0/8"),
    ("https://10.255.255.255/", "10.0.0.0/8"),
    ("http://172.16.0.1/", "172.16.0.0/12"),
    ("http://172.31.255.254:8443/", "172.16.0.0/12"),
    ("http://192.168.0.1/", "192.168.0.0/16"),
    ("http://192.168.1.1:22/", "192.168.1.0/24"),
    // loopback and "this host"
    ("http://127.0.0.1/", "127.0.0.0/8"),
    ("http://127.0.0.1:6379/", "127.0.0.0/8"),
    ("http://127.1.2.3/", "127.0.0.0/8"),
    ("http://0.0.0.0/", "0.0.0.0/8"),
    ("http://0/", "0.0.0.0/8"),
    // link-local, metadata
    ("http://169.254.1.1/", "169.254.0.0/16"),
    ("http://169.254.0.23/", "169.254.0.0/16"),
    ("http://169.254.169.254/latest/meta-data/", "169.254.169.254/32"),
    ("http://100.100.100.200/latest/meta-data/", "100.100.100.200/32"),
    ("http://168.63.129.16/metadata", "168.63.129.16/32"),
    ("http://192.0.0.192/opc/v2/", "192.0.0.192/32"),
    ("http://[fd00:ec2::254]/", "fd00:ec2::254/128"),
    // carrier-grade NAT, protocol, benchmark, documentation, multicast, reserved
    ("http://100.64.0.1/", "100.64.0.0/10"),
    ("http://100.127.255.255/", "100.64.0.0/10"),
    ("http://192.0.0.8/", "192.0.0.0/24"),
    ("http://198.18.0.1/", "198.18.0.0/15"),
    ("http://192.0.2.1/", "192.0.2.0/24"),
    ("http://198.51.100.7/", "198.51.100.0/24"),
    ("http://203.0.113.9/", "203.0.113.0/24"),
    ("http://192.88.99.1/", "192.88.99.0/24"),
    ("http://224.0.0.1/", "224.0.0.0/4"),
    ("http://240.0.0.1/", "240.0.0.0/4"),
    ("http://255.255.255.255/", "240.0.0.0/4"),
    // other ways to write an IPv4 address
    ("http://2130706433/", "127.0.0.0/8"),
    ("http://0x7f000001/", "127.0.0.0/8"),
    ("http://0x7f.0.0.1/", "127.0.0.0/8"),
    ("http://0177.0.0.1/", "127.0.0.0/8"),
    ("http://017700000001/", "127.0.0.0/8"),
    ("http://127.1/", "127.0.0.0/8"),
    ("http://127.0.1/", "127.0.0.0/8"),
    ("http://0xa.1/", "10.0.0.0/8"),
    ("http://3232235777/", "192.168.0.0/16"),
    ("http://0xA9FEA9FE/", "169.254.169.254/32"),
    ("http://127.0.0.1./", "127.0.0.0/8"),
    ("http://0x7f000001./", "127.0.0.0/8"),
    ("http://127。0。0。1/", "127.0.0.0/8"),
    ("http://①②⑦.⓪.⓪.①/", "127.0.0.0/8"),
    ("http://%31%32%37.0.0.1/", "127.0.0.0/8"),
    ("HTTP://127.0.0.1/", "127.0.0.0/8"),
    ("http:\\\\127.0.0.1\\", "127.0.0.0/8"),
    ("http:127.0.0.1", "127.0.0.0/8"),
    ("http:///127.0.0.1/", "127.0.0.0/8"),
    ("http://127.0.0.1#@oa.example.com/", "127.0.0.0/8"),
    ("http://127.0.0.1?@oa.example.com/", "127.0.0.0/8"),
    ("http://127.0.0.1\\@oa.example.com/", "127.0.0.0/8"),
    (" \thttp://127.0.\n0.1/ ", "127.0.0.0/8"),
    // IPv6
    ("http://[::1]/", "::1/128"),
    ("http://[0:0:0:0:0:0:0:1]:80/", "::1/128"),
    ("http://[::]/", "::/128"),
    ("http://[fc00::1]/", "fc00::/7"),
    ("http://[fdff:ffff::1]/", "fc00::/7"),
    ("http://[fe80::1]/", "fe80::/10"),
    ("http://[fec0::1]/", "fec0::/10"),
    ("http://[ff02::1]/", "ff00::/8"),
    ("http://[2001:db8::1]/", "2001:db8::/32"),
    ("http://[3fff::1]/", "3fff::/20"),
    ("http://[100::1]/", "100::/64"),
    ("http://[2001::1]/", "2001::/32"),
    ("http://[::ffff:127.0.0.1]/", "127.0.0.0/8"),
    ("http://[::ffff:7f00:1]/", "127.0.0.0/8"),
    ("http://[::ffff:10.1.2.3]/", "10.0.0.0/8"),
    ("http://[::ffff:169.254.169.254]/", "169.254.169.254/32"),
    ("http://[::127.0.0.1]/", "::/96 127.0.0.0/8"),
    ("http://[64:ff9b::127.0.0.1]/", "64:ff9b::/96 127.0.0.0/8"),
    ("http://[64:ff9b::a9fe:a9fe]/", "64:ff9b::/96 169.254.169.254/32"),
    ("http://[64:ff9b::8.8.8.8]/", "64:ff9b::/96"),
    ("http://[64:ff9b:1::10.0.0.1]/", "64:ff9b:1::/48 10.0.0.0/8"),
    ("http://[2002:7f00:1::]/", "2002::/16 127.0.0.0/8"),
    ("http://[2002:a9fe:a9fe::1]/", "2002::/16 169.254.169.254/32"),
];

fn networks(list: &str) -> Vec<IpNet> {
    list.split_whitespace().map(|network| network.parse().unwrap()).collect()
}

#[test]
fn hostile_addresses_are_refused_unless_their_network_is_listed() {
    for (url, list) in HOSTILE {
        let refusal = Guard::new(vec![]).check(url);
        assert!(matches!(refusal, Err(Refusal::Address { .. })), "{url}: {refusal:?}");
        let listed = Guard::new(networks(list)).check(url);
        assert!(listed.is_ok(), "{url} with {list}: {listed:?}");
    }
}

#[test]
fn hostile_urls_are_refused_whatever_is_listed() {
    let guard = Guard::new(networks("0.0.0.0/0 ::/0"));
    for (url, why) in [
        ("file:///etc/passwd", Refusal::Scheme),
        ("gopher://oa.example.com/", Refusal::Scheme),
        ("ftp://oa.example.com/", Refusal::Scheme),
        ("unix:///run/docker.sock", Refusal::Scheme),
        ("data:text/plain,x", Refusal::Scheme),
        ("javascript:alert(1)", Refusal::Scheme),
        ("ws://oa.example.com/", Refusal::Scheme),
        ("http://oa.example.com@127.0.0.1/", Refusal::Credentials),
        ("http://user:pass@oa.example.com/", Refusal::Credentials),
        ("http://:pass@oa.example.com/", Refusal::Credentials),
        ("http://oa.example.com%40@127.0.0.1/", Refusal::Credentials),
        ("", Refusal::NoUrl),
        ("oa.example.com/callback", Refusal::NoUrl),
        ("//oa.example.com", Refusal::NoUrl),
        ("http://", Refusal::NoUrl),
        ("http://[::1", Refusal::NoUrl),
        ("http://[fe80::1%25eth0]/", Refusal::NoUrl),
        ("http://256.1.1.1/", Refusal::NoUrl),
        ("http://1.2.3.4.5/", Refusal::NoUrl),
        ("http://oa.example.com:99999/", Refusal::NoUrl),
        ("http://exa mple.com/", Refusal::NoUrl),
        ("http://oa.example.com%00.evil/", Refusal::NoUrl),
    ] {
        assert_eq!(guard.check(url), Err(why), "{url}");
    }
}

#[test]
fn public_addresses_and_names_pass() {
    let guard = Guard::new(vec![]);
    for url in [
        "https://oa.example.com/wecom/callback?tenant=1",
        "http://oa.example.com:8080/",
        "https://8.8.8.8/",
        "https://[2400:3200::1]/",
        "https://公司.cn/",
        "http://172.32.0.1/",
        "http://100.128.0.1/",
        "http://[2001:200::1]/",
    ] {
        assert!(guard.check(url).is_ok(), "{url}");
    }
}

#[test]
fn a_wide_network_does_not_open_a_metadata_address() {
    let guard = Guard::new(networks("169.254.0.0/16 100.64.0.0/10 0.0.0.0/0 fd00::/8"));
    for url in
        ["http://169.254.169.254/", "http://100.100.100.200/", "http://[fd00:ec2::254]/", "http://168.63.129.16/"]
    {
        assert!(guard.check(url).is_err(), "{url}");
    }
}

#[test]
fn of_a_names_addresses_only_allowed_ones_are_left() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let guard = Guard::new(networks("127.0.0.0/8"));
    assert_eq!(guard.filter("localhost", vec![ip("::1"), ip("127.0.0.1")]), Ok(vec![ip("127.0.0.1")]));
    let none = guard.filter("inside", vec![ip("10.0.0.1")]);
    assert_eq!(none, Err(Refusal::Address { host: "inside".to_owned(), address: ip("10.0.0.1") }));
    let mixed = guard.filter("mixed", vec![ip("8.8.8.8"), ip("10.0.0.1")]);
    assert_eq!(mixed, Err(Refusal::Mixed { host: "mixed".to_owned(), address: ip("10.0.0.1") }));
}
