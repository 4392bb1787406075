//! Chinese names for people, departments and positions.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const SURNAMES: &[(&str, &str)] = &[
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("杨", "yang"),
    ("赵", "zhao"),
    ("黄", "huang"),
    ("周", "zhou"),
    ("吴", "wu"),
    ("徐", "xu"),
    ("孙", "sun"),
    ("马", "ma"),
    ("朱", "zhu"),
    ("胡", "hu"),
    ("欧阳", "ouyang"),
    ("诸葛", "zhuge"),
    ("上官", "shangguan"),
];
const GIVEN: &[(&str, &str)] = &[
    ("伟", "wei"),
    ("芳", "fang"),
    ("娜", "na"),
    ("敏", "min"),
    ("静", "jing"),
    ("强", "qiang"),
    ("磊", "lei"),
    ("洋", "yang"),
    ("艳", "yan"),
    ("勇", "yong"),
    ("杰", "jie"),
    ("春晓", "chunxiao"),
    ("志远", "zhiyuan"),
    ("子涵", "zihan"),
    ("雨桐", "yutong"),
    ("建国", "jianguo"),
    ("𠮷", "ji"),
    ("丽娟", "lijuan"),
];
const AREAS: &[&str] =
    &["华东区", "华南区", "华北区", "西南区", "总部", "海外", "上海", "深圳", "成都", "一厂", "二厂"];
const WORK: &[&str] = &[
    "研发部",
    "销售部",
    "生产车间",
    "质量部",
    "采购部",
    "物流组",
    "人力资源部",
    "财务部",
    "信息中心",
    "售后服务",
    "R&D 小组",
    "装配线",
    "实验室",
    "市场部",
    "安全环保",
];
const POSITIONS: &[&str] = &[
    "工程师",
    "高级工程师",
    "经理",
    "总监",
    "专员",
    "操作工",
    "班组长",
    "实习生",
    "质检员",
    "R&D <主管>",
    "会计",
    "司机",
];

/// A new person's name and the pinyin of it.
pub(super) struct Name {
    pub(super) name: String,
    pub(super) pinyin: String,
}

pub(super) fn person(random: &mut StdRng) -> Name {
    let (surname, surname_pinyin) = SURNAMES.choose(random).copied().unwrap_or(("王", "wang"));
    let (given, given_pinyin) = GIVEN.choose(random).copied().unwrap_or(("伟", "wei"));
    let dot = if random.random_ratio(1, 40) { "·" } else { "" };
    Name { name: format!("{surname}{dot}{given}"), pinyin: format!("{surname_pinyin}{given_pinyin}") }
}

pub(super) fn department(random: &mut StdRng) -> String {
    let area = AREAS.choose(random).copied().unwrap_or_default();
    let work = WORK.choose(random).copied().unwrap_or_default();
    format!("{area}{work}")
}

pub(super) fn position(random: &mut StdRng) -> String {
    POSITIONS.choose(random).copied().unwrap_or_default().to_owned()
}
