//! Which work a call is.

use super::cursor::Cursors;
use super::refusal::Refusal;
use super::request::Input;
use super::view::View;
use super::{Interface, reads, reply, writes};
use crate::Company;

/// Does what a call asks for; the body of a good answer.
pub(super) fn work(
    interface: Interface,
    view: View<'_>,
    cursors: Cursors,
    input: &Input<'_>,
    company: &mut Company,
) -> Result<Vec<u8>, Refusal> {
    let options = view.options;
    match interface {
        // A token is given at the door.
        Interface::GetToken => Err(Refusal::of(-1)),
        Interface::GetCallbackIp => reply::callback_addresses(options),
        Interface::GetApiDomainIp => reply::domain_addresses(options),
        Interface::DepartmentSimpleList => reads::departments::simple_list(company, view, input),
        Interface::DepartmentList => reads::departments::list(company, view, input),
        Interface::DepartmentGet => reads::departments::get(company, view, input),
        Interface::UserGet => reads::members::get(company, view, input),
        Interface::UserSimpleList => reads::members::simple_list(company, view, input),
        Interface::UserList => reads::members::list(company, view, input),
        Interface::UserGetUserId => reads::members::holder(company, view, input, "mobile"),
        Interface::UserIdByEmail => reads::members::holder(company, view, input, "email"),
        Interface::UserListId => reads::pages::list_id(company, options.page_rows, cursors, input),
        Interface::UserCreate => writes::members::create(company, options, input),
        Interface::UserUpdate => writes::members::update(company, options, input),
        Interface::UserDelete => writes::members::delete(company, options, input),
        Interface::DepartmentCreate => writes::departments::create(company, options, input),
        Interface::DepartmentUpdate => writes::departments::update(company, input),
        Interface::DepartmentDelete => writes::departments::delete(company, input),
    }
}
