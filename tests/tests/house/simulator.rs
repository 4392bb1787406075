//! What the simulator prints for an operator is a tenant's file.

use std::path::Path;

use platform_sim::sandbox::{Address, Platform, Site, tenant_file};
use service::{Environment, TenantFile};

#[test]
fn what_the_simulator_prints_is_taken() {
    let address = Address { listen: [127, 0, 0, 1].into(), port: 9100 };
    let site = Site { address, host: "simulator".into(), secret: "of this test alone".into() };
    let database = "postgres://orgbridge:secret@postgres:5432/orgbridge";
    let environment = Environment::from([("ORGBRIDGE_CORE_URL".to_owned(), database.to_owned())]);
    for (platform, id, destinations) in [(Platform::Wecom, "sim-wecom", 2), (Platform::Dingtalk, "sim-dingtalk", 1)] {
        let text = tenant_file(platform, &site).unwrap();
        let file = TenantFile::parse_with(&text, "simulator", Path::new(""), &environment).unwrap();
        assert_eq!(file.id.as_str(), id);
        assert_eq!(file.destinations.len(), destinations);
        assert!(file.warnings().is_empty(), "{:?}", file.warnings());
    }
}
