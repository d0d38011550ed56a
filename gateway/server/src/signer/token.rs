//! A key in a PKCS#11 token (OASIS PKCS#11 v2.40): it signs there and never leaves it.
//!
//! **Invariant:** one session at a time uses the token; one that the token has ended is opened anew once for each signature.
//! **Invariant:** a PIN that was refused is not tried again: a token locks itself after a few wrong ones.

use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use trust::{DigestAlgorithm, SignFault, SignatureAlgorithm, Signer};

use crate::config::TokenConfig;

/// Why a token does not sign.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    /// The library or the token says so.
    #[error(transparent)]
    Token(#[from] Error),
    /// No token of this label is in any slot.
    #[error("no token has this label")]
    Absent,
    /// No private key of this label is in the token.
    #[error("the token has no private key of this label")]
    KeyAbsent,
    /// Several private keys have this label.
    #[error("the token has several private keys of this label")]
    KeyAmbiguous,
    /// A key of another kind than RSA or EC.
    #[error("the key is neither RSA nor EC")]
    Kind,
    /// The PIN was refused, and is not tried again.
    #[error("the token refuses the PIN")]
    Pin,
}

/// A private key in a token.
pub(super) struct TokenKey {
    config: TokenConfig,
    context: Pkcs11,
    algorithm: SignatureAlgorithm,
    state: Mutex<State>,
}

/// How we stand with the token.
enum State {
    Open(Open),
    /// The session has ended; another may be opened.
    Ended,
    /// The PIN was refused.
    Barred,
}

/// A session that is logged in, and the key in it.
struct Open {
    session: Session,
    key: ObjectHandle,
}

impl TokenKey {
    /// Logs in and finds the key.
    pub(super) fn open(config: &TokenConfig) -> Result<TokenKey, TokenFault> {
        let context = Pkcs11::new(&config.module)?;
        context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
        let open = Open::new(&context, config)?;
        let algorithm = open.algorithm()?;
        Ok(TokenKey {
            config: config.clone(),
            context,
            algorithm,
            state: Mutex::new(State::Open(open)),
        })
    }
}

impl Open {
    fn new(context: &Pkcs11, config: &TokenConfig) -> Result<Open, TokenFault> {
        let mut found = None;
        for slot in context.get_slots_with_initialized_token()? {
            if context.get_token_info(slot)?.label() == config.label {
                found = Some(slot);
            }
        }
        let session = context.open_ro_session(found.ok_or(TokenFault::Absent)?)?;
        let pin = config.password.expose().to_owned().into();
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLocked | RvError::PinInvalid, _)) => {
                return Err(TokenFault::Pin);
            }
            Err(error) => return Err(error.into()),
        }
        let wanted = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Label(config.key.clone().into_bytes()),
        ];
        match session.find_objects(&wanted)?[..] {
            [key] => Ok(Open { session, key }),
            [] => Err(TokenFault::KeyAbsent),
            _ => Err(TokenFault::KeyAmbiguous),
        }
    }

    fn algorithm(&self) -> Result<SignatureAlgorithm, TokenFault> {
        let attributes = self.session.get_attributes(self.key, &[AttributeType::KeyType])?;
        match attributes[..] {
            [Attribute::KeyType(KeyType::RSA)] => Ok(SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)),
            [Attribute::KeyType(KeyType::EC)] => Ok(SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)),
            _ => Err(TokenFault::Kind),
        }
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, TokenFault> {
        if matches!(algorithm, SignatureAlgorithm::RsaPkcs1(_)) {
            return Ok(self.session.sign(&Mechanism::Sha256RsaPkcs, self.key, message)?);
        }
        // Not every token digests for ECDSA by itself.
        let digest = trust::Digest::of(message);
        let raw = self
            .session
            .sign(&Mechanism::Ecdsa, self.key, digest.as_bytes())?;
        Ok(trust::algorithm::ecdsa_sequence(&raw))
    }
}

impl Signer for TokenKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignFault> {
        // What was open when a thread died has ended.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Ended) {
            State::Open(open) => {
                if let Ok(signature) = open.sign(self.algorithm, message) {
                    *state = State::Open(open);
                    return Ok(signature);
                }
            }
            State::Ended => {}
            State::Barred => {
                *state = State::Barred;
                return Err(SignFault::Signing);
            }
        }
        let again = Open::new(&self.context, &self.config).and_then(|open| {
            let signature = open.sign(self.algorithm, message)?;
            Ok((open, signature))
        });
        match again {
            Ok((open, signature)) => {
                *state = State::Open(open);
                Ok(signature)
            }
            Err(fault) => {
                if matches!(fault, TokenFault::Pin) {
                    *state = State::Barred;
                }
                tracing::error!(token = %self.config.label, error = %fault, "the token does not sign");
                Err(SignFault::Signing)
            }
        }
    }
}
