use common::{Field, Fields};
use crate::support::*;
use destinations::Batch;
use std::collections::BTreeMap;
#[tokio::test]
async fn speed() {
    let core = Core::new().await;
    let mut ds = vec![];
    for id in 2..=500 { ds.push(department(&id.to_string(), &(id/2).to_string())); }
    core.take(ds).await;
    let n = 20000;
    let make = |n: usize, title: &str| -> Vec<_> { (0..n).map(|i| {
        let d = (1 + i % 500).to_string();
        member_with(&format!("user{:06}", (i * 7919) % n), Fields::new().with(Field::Name, "欧阳春晓").with(Field::Departments, &[&*d][..]).with(Field::MainDepartment, &*d)
          .with(Field::Mobile, "13900001111").with(Field::Email, "chunxiao@corp.example").with(Field::Title, title).with(Field::Gender, "female").with(Field::Status,"active").with(Field::Leaders, &["user000001"][..])
          .with(Field::Attributes, BTreeMap::from([("工号".to_owned(), format!("A-{i}"))])))
    }).collect() };
    for title in ["a", "b"] {
        let all = core.numbered(make(n, title));
        let t = std::time::Instant::now();
        for b in all.chunks(256) { core.tables.apply(b).await.unwrap(); }
        eprintln!("{title}: {:?} per change", t.elapsed() / n as u32);
    }
    let all = core.numbered((0..n).map(|i| remove_member(&format!("user{i:06}"))).collect());
    let t = std::time::Instant::now();
    for b in all.chunks(256) { core.tables.apply(b).await.unwrap(); }
    eprintln!("remove: {:?} per change", t.elapsed() / n as u32);
}
