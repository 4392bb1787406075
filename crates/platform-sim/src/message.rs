//! Reads the decrypted XML of a callback, as a receiver does.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::{Act, Subject};

/// A decrypted callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `FromUserName`, `sys` for contact events.
    pub from: String,
    /// `CreateTime`, Unix seconds.
    pub create_time: i64,
    /// `Event`.
    pub event: String,
    /// `ChangeType`, empty if there is none.
    pub change_type: String,
    /// All other direct elements that hold text only.
    pub fields: BTreeMap<String, String>,
    /// The items of `ExtAttr` by name; `None` if there is no such element.
    pub attributes: Option<BTreeMap<String, String>>,
}

impl Message {
    /// Reads one document.
    ///
    /// # Errors
    /// A short description of what is wrong with it.
    pub fn parse(plaintext: &str) -> Result<Self, String> {
        let document = Document::parse(plaintext).map_err(|error| error.to_string())?;
        let mut fields = BTreeMap::new();
        let mut attributes = None;
        for node in document.root_element().children().filter(Node::is_element) {
            let name = node.tag_name().name();
            if name == "ExtAttr" {
                attributes = Some(items(node));
            } else if fields.insert(name.to_owned(), text(node)).is_some() {
                return Err(format!("element {name} occurs twice"));
            }
        }
        let mut take = |name: &str| fields.remove(name);
        let create_time = take("CreateTime").ok_or("CreateTime is missing")?;
        let create_time = create_time.trim().parse().map_err(|_error| "CreateTime is not a number")?;
        take("MsgType");
        take("ToUserName");
        Ok(Self {
            from: take("FromUserName").unwrap_or_default(),
            create_time,
            event: take("Event").unwrap_or_default(),
            change_type: take("ChangeType").unwrap_or_default(),
            fields,
            attributes,
        })
    }

    /// A text element; an absent one is `None`, an empty one is not.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A comma-separated list; an empty element is an empty list.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.field(name)?;
        Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// What it is about and what happened.
    #[must_use]
    pub fn about(&self) -> (Subject, Act) {
        let (what, act) = match self.change_type.as_str() {
            _ if self.event != "change_contact" => return (Subject::Other, Act::Other),
            "create_user" => ("UserID", Act::Create),
            "update_user" => ("UserID", Act::Update),
            "delete_user" => ("UserID", Act::Remove),
            "create_party" => ("Id", Act::Create),
            "update_party" => ("Id", Act::Update),
            "delete_party" => ("Id", Act::Remove),
            _ => return (Subject::Other, Act::Other),
        };
        let id = self.field(what).unwrap_or_default().trim().to_owned();
        (if what == "Id" { Subject::Department(id) } else { Subject::Member(id) }, act)
    }
}

/// Direct `Value`, else `Text/Value`, else `Web/Url` (wecom.md 2.2).
fn items(list: Node<'_, '_>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for item in list.children().filter(|child| child.has_tag_name("Item")) {
        let nested = |outer: &str, inner: &str| child(item, outer).and_then(|node| child(node, inner));
        let value = child(item, "Value").or_else(|| nested("Text", "Value")).or_else(|| nested("Web", "Url"));
        if let Some(name) = child(item, "Name") {
            attributes.insert(text(name), value.map(text).unwrap_or_default());
        }
    }
    attributes
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}
