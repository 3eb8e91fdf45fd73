//! Services: their options. What their methods refer to is looked up with all other types.

use super::Checker;
use crate::source::ast::Service;
use crate::source::types::join;

impl Checker<'_> {
    pub(super) fn service(&mut self, scope: &str, service: &Service) {
        self.options_of("ServiceOptions", scope, &service.options);
        let full = join(scope, &service.name.text);
        for method in &service.methods {
            self.options_of("MethodOptions", &full, &method.options);
        }
    }
}
