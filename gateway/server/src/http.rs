//! The internal port: whether the gateway lives and can work, what it counts, and the desk for people.
//!
//! For operators and their tools on the same machine. `/health`, `/ready` and `/metrics` answer everybody who reaches
//! the port; `/administration` answers whoever can read the token in the data folder.
//!
//! **Invariant:** nothing here speaks to agencies, and no document passes here.
//! **Invariant:** neither token nor password is ever logged; bodies are not logged at all.

mod administration;
mod auth;
mod place;
#[cfg(test)]
mod tests;
pub mod view;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};

pub use auth::Token;
pub use place::{ADDRESS_FILE, Place, PlaceFault, TOKEN_FILE};

use crate::administration::{Administration, Parking, TrustDesk};
use crate::clock::Clock;
use crate::config::HttpConfig;
use crate::telemetry::{Metrics, Probe, Readiness};

/// Threads of this port. Administration is serial, and what reads the disk is done on threads that may wait.
const THREADS: usize = 1;
/// Connections at the same time.
const CONNECTIONS_MAX: usize = 64;
/// From the first byte of a request to the end of its head.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests may go on after the end was asked for.
const SHUTDOWN_SECONDS: u64 = 5;

/// What the port shows and who carries out what it is asked. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the parts can work.
    pub readiness: Arc<Readiness>,
    /// The desk for agencies and accounts.
    pub administration: Arc<Administration>,
    /// Where parked packets are judged again.
    pub parking: Arc<dyn Parking>,
    /// The desk for trust material.
    pub trust: Arc<dyn TrustDesk>,
    /// The clock, whose jump a person may accept.
    pub clock: Clock,
}

/// Why the port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum HttpFault {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// Token or address cannot be written into the data folder.
    #[error(transparent)]
    Place(#[from] PlaceFault),
}

/// The port, listening.
pub struct InternalPort {
    address: SocketAddr,
    server: Server,
}

impl InternalPort {
    /// Binds the port, makes a new token, and writes token and address into the data folder. Requests are answered
    /// once [`InternalPort::run`] is awaited.
    ///
    /// # Errors
    /// [`HttpFault`].
    pub fn open(config: &HttpConfig, data_dir: &Path, services: Services) -> Result<InternalPort, HttpFault> {
        let fault = |error| HttpFault::Listen {
            address: config.listen,
            error,
        };
        let token = Token::new();
        let shown = token.clone();
        let limits = Limits {
            body_bytes_max: config.body_bytes_max,
            list_bytes_max: config.list_bytes_max,
        };
        let server =
            HttpServer::new(move || App::new().configure(|app| routes(app, &services, &token, limits)));
        let server = server
            .workers(THREADS)
            .max_connections(CONNECTIONS_MAX)
            .client_request_timeout(REQUEST_TIMEOUT)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .disable_signals()
            .bind(config.listen)
            .map_err(fault)?;
        let address = *server.addrs().first().expect("a bound server has an address");
        Place::write(data_dir, address, &shown)?;
        Ok(InternalPort {
            address,
            server: server.run(),
        })
    }

    /// The address that was bound, also when the configuration said port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// With this the port can be closed: `stop(true)` lets requests end.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Answers requests until the port is closed.
    ///
    /// # Errors
    /// [`HttpFault::Listen`] when the listener fails.
    pub async fn run(self) -> Result<(), HttpFault> {
        let address = self.address;
        self.server
            .await
            .map_err(|error| HttpFault::Listen { address, error })
    }
}

/// How large requests may be.
#[derive(Debug, Clone, Copy)]
struct Limits {
    body_bytes_max: usize,
    /// A revocation list: as large as one that is fetched.
    list_bytes_max: usize,
}

/// All routes of the port.
fn routes(app: &mut web::ServiceConfig, services: &Services, token: &Token, limits: Limits) {
    app.app_data(web::Data::new(services.clone()))
        .app_data(web::Data::new(token.clone()))
        .app_data(web::PayloadConfig::new(limits.body_bytes_max))
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| administration::Problem::request(&error.to_string()).into()),
        )
        .app_data(
            web::JsonConfig::default()
                .limit(limits.body_bytes_max)
                .error_handler(|error, _| administration::Problem::request(&error.to_string()).into()),
        )
        .route("/health", web::get().to(health))
        .route("/ready", web::get().to(ready))
        .route("/metrics", web::get().to(metrics))
        .service(administration::scope(limits.list_bytes_max));
}

/// The process lives: it answers.
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(view::HealthView {
        state: "alive".to_owned(),
        version: VERSION.to_owned(),
    })
}

/// 200 when every part can work, else 503; with each part's reason.
async fn ready(services: web::Data<Services>) -> HttpResponse {
    let parts = services.readiness.ask();
    let is_ready = parts.iter().all(|(_, probe)| *probe == Probe::Ready);
    let view = view::ReadyView::of(is_ready, &parts);
    if is_ready {
        HttpResponse::Ok().json(view)
    } else {
        HttpResponse::ServiceUnavailable().json(view)
    }
}

async fn metrics(services: web::Data<Services>) -> HttpResponse {
    let kind = ContentType(
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
            .parse()
            .expect("a media type"),
    );
    // Some numbers are counted in the index: not on the one thread that answers everybody else meanwhile.
    match web::block(move || services.metrics.text()).await {
        Ok(text) => HttpResponse::Ok().insert_header(kind).body(text),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
