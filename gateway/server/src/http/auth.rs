//! Who may ask the desk: whoever can read the token's file.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::administration::Problem;
use crate::config::Secret;

/// What opens the desk: 256 random bits, new at each start.
#[derive(Debug, Clone)]
pub struct Token(Secret);

impl Token {
    /// A token that nobody had before.
    #[expect(clippy::new_without_default, reason = "a random value is no default")]
    pub fn new() -> Token {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives randomness");
        Token(Secret::of(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// The token that this text is.
    pub fn of(text: &str) -> Token {
        Token(Secret::of(text.to_owned()))
    }

    /// The text, for the file and for the header.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Compares in a time that depends on the length alone.
    fn opens(&self, given: &[u8]) -> bool {
        verify_slices_are_equal(self.expose().as_bytes(), given).is_ok()
    }
}

/// Lets requests through that carry `Authorization: Bearer <token>`.
pub(super) async fn demand_token(
    token: web::Data<Token>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let header = request.headers().get(AUTHORIZATION);
    let given = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if given.is_some_and(|given| token.opens(given)) {
        next.call(request).await
    } else {
        Err(Problem::unauthorised().into())
    }
}
