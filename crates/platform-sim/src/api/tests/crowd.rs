//! Many companies behind one address.

use super::*;

fn company(corp_id: &str, seed: u64) -> Api {
    let mut company = Company::new(CompanyOptions { corp_id: corp_id.to_owned(), ..CompanyOptions::default() });
    company.create_department(corp_id, ROOT).expect("legal");
    let options = ApiOptions { seed, ..ApiOptions::new(CONTACT, APP) };
    Api::new(Arc::new(Mutex::new(company)), options, Arc::new(|| START_MS))
}

fn ask(crowd: &Crowd, interface: Interface, query: &str) -> Value {
    let path = format!("/cgi-bin/{interface}");
    let call = Call { method: interface.method(), path: &path, query, body: &[], peer: HOME };
    let api = crowd.of(&call);
    let answer = api.call(&call);
    crowd.note(&call, &api, &answer);
    parsed(&answer)
}

fn ask_for_token(crowd: &Crowd, corp_id: &str) -> Value {
    ask(crowd, Interface::GetToken, &in_query(&[("corpid", corp_id), ("corpsecret", APP)]))
}

#[test]
fn a_token_is_one_companys_and_a_stranger_is_refused() {
    let crowd = Crowd::new([company("ww-one", 1), company("ww-other", 2)]).expect("two");
    for corp_id in ["ww-one", "ww-other"] {
        let token = ask_for_token(&crowd, corp_id)["access_token"].as_str().expect("a token").to_owned();
        let listed = ask(&crowd, Interface::DepartmentList, &in_query(&[("access_token", &token)]));
        assert!(listed.to_string().contains(corp_id), "{listed}");
    }
    assert_eq!(code(&ask_for_token(&crowd, "a stranger")), 40013);
    assert_eq!(code(&ask(&crowd, Interface::DepartmentList, "access_token=nobodys")), 40014);
    assert!(Crowd::new([]).is_none());
}
