//! Trees of the same size.

/// Departments below the root: enough for one that has ten thousand in it.
const DEPARTMENTS: usize = 10_001;
const MEMBERS: usize = 500;
/// All but the root.
pub(crate) const ENTITIES: usize = DEPARTMENTS + MEMBERS;

const CHILDREN: usize = 8;
const LEVELS: usize = 50;

/// The id of the root.
pub(crate) const ROOT: usize = 1;
/// The id of the first department, which is right below the root in each of them.
pub(crate) const FIRST: usize = 2;

/// How a company is built.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// Which one the n-th department is in; `None` for the root.
    parent: fn(usize) -> Option<usize>,
}

/// The ordinary one is the first.
pub(crate) const SHAPES: [Shape; 3] = [
    Shape { name: "ordinary", parent: |number| number.checked_sub(1).map(|above| above / CHILDREN) },
    Shape { name: "deepest", parent: |number| (number % LEVELS > 0).then(|| number - 1) },
    Shape { name: "widest", parent: |number| (number > 0).then_some(0) },
];

impl Shape {
    /// The ids of departments and those of their parents.
    pub(crate) fn departments(&self) -> impl Iterator<Item = (usize, usize)> {
        let parent = move |number: usize| (self.parent)(number).map_or(ROOT, |number| number + FIRST);
        (0..DEPARTMENTS).map(move |number| (number + FIRST, parent(number)))
    }
}

/// The numbers of members, each with the id of a department.
pub(crate) fn members() -> impl Iterator<Item = (usize, usize)> {
    (0..MEMBERS).map(|number| (number, number * (DEPARTMENTS / MEMBERS) + FIRST))
}

/// What a department is called.
pub(crate) fn name(department: usize) -> String {
    format!("部门 {department}")
}
