//! The desk over HTTP: requests in, orders out, reports back.

use std::fmt;
use std::sync::Arc;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, ResponseError, web};
use domain::ids::CaseId;
use domain::port::{CaseState, StoreFault};
use serde::Deserialize;
use tracing::{error, info};

use super::Services;
use super::auth::demand_token;
use super::view::{
    AddedView, AgencyView, BacklogView, CaseView, ListView, MaterialView, ParkedView, ProblemView,
    ProvisionedView, ReportView, StandingView, TrustView,
};
use crate::administration::{
    Addition, AdditionFault, AdministrationFault, Mode, Order, ParkingFault, Told, TrustDeskFault,
};

/// All routes below `/administration`; every one demands the token.
pub(super) fn scope(list_bytes_max: usize) -> impl HttpServiceFactory {
    web::scope("/administration")
        .wrap(from_fn(demand_token))
        .route("/agencies", web::get().to(agencies))
        .route("/backlog", web::get().to(backlog))
        .route("/orders", web::post().to(order))
        .route("/provisioning", web::post().to(provision_again))
        .route("/cases/{case}", web::get().to(case))
        .route("/parked", web::get().to(parked))
        .route("/parked/{case}/release", web::post().to(parked_release))
        .route("/parked/{case}/refuse", web::post().to(parked_refuse))
        .route("/trust", web::get().to(trust_status))
        .route("/trust/refresh", web::post().to(trust_refresh))
        .service(
            web::resource("/trust/lists")
                .app_data(web::PayloadConfig::new(list_bytes_max))
                .route(web::post().to(trust_import)),
        )
        .route("/trust/material", web::get().to(trust_material))
        .route("/trust/certificates", web::post().to(trust_add))
        .route("/clock/accept", web::post().to(clock_accept))
}

/// What went wrong, as it is told outside.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    view: Box<ProblemView>,
}

impl Problem {
    fn new(status: StatusCode, code: &str, detail: impl ToString, told: Told) -> Problem {
        Problem {
            status,
            view: Box::new(ProblemView {
                code: code.to_owned(),
                detail: detail.to_string(),
                told: Some(told),
            }),
        }
    }

    /// The request cannot be understood.
    pub(super) fn request(detail: &str) -> Problem {
        let fault = detail.to_owned();
        Problem::new(
            StatusCode::BAD_REQUEST,
            "request",
            detail,
            Told::RequestUnfit { fault },
        )
    }

    /// Without the token.
    pub(super) fn unauthorised() -> Problem {
        let detail = "Authorization: Bearer with the token of the data folder is demanded";
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorised",
            detail,
            Told::TokenWrong {},
        )
    }

    fn ours(fault: &dyn std::error::Error, told: Told) -> Problem {
        error!(%fault, "an administration request failed");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store", fault, told)
    }

    fn store(fault: &StoreFault) -> Problem {
        Problem::ours(fault, Told::from(fault))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.view.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status).json(&self.view)
    }
}

impl From<AdministrationFault> for Problem {
    fn from(fault: AdministrationFault) -> Problem {
        let (status, code) = match &fault {
            AdministrationFault::Order(_) => (StatusCode::UNPROCESSABLE_ENTITY, "order"),
            AdministrationFault::Directory(_) => (StatusCode::CONFLICT, "directory"),
            AdministrationFault::Import(_) => (StatusCode::UNPROCESSABLE_ENTITY, "import"),
            AdministrationFault::Conflict => (StatusCode::CONFLICT, "conflict"),
            AdministrationFault::Shared(_) => (StatusCode::BAD_GATEWAY, "provision"),
            AdministrationFault::Clock(_) => (StatusCode::SERVICE_UNAVAILABLE, "clock"),
            AdministrationFault::Store(fault) => return Problem::store(fault),
        };
        let told = Told::from(&fault);
        Problem::new(status, code, fault, told)
    }
}

impl From<ParkingFault> for Problem {
    fn from(fault: ParkingFault) -> Problem {
        let (status, code) = match &fault {
            ParkingFault::NotParked(_) | ParkingFault::StillParked(_) => (StatusCode::CONFLICT, "parked"),
            ParkingFault::Clock(_) => (StatusCode::SERVICE_UNAVAILABLE, "clock"),
            ParkingFault::Store(fault) => return Problem::store(fault),
        };
        let told = Told::from(&fault);
        Problem::new(status, code, fault, told)
    }
}

type Answer = Result<HttpResponse, Problem>;

/// A word that is written otherwise is refused: what was meant as a trial is never carried out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderQuery {
    #[serde(default)]
    dry_run: bool,
}

/// Runs what may wait for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    web::block(work).await.map_err(|fault| {
        let told = Told::StoreNotNow {
            fault: fault.to_string(),
        };
        Problem::ours(&fault, told)
    })
}

async fn agencies(services: web::Data<Services>) -> Answer {
    let directory = services.administration.directory();
    let views: Vec<AgencyView> = directory.agencies().map(AgencyView::of).collect();
    Ok(HttpResponse::Ok().json(views))
}

async fn backlog(services: web::Data<Services>) -> Answer {
    let desk = Arc::clone(&services.administration);
    let backlog = blocking(move || desk.backlog())
        .await?
        .map_err(|fault| Problem::store(&fault))?;
    Ok(HttpResponse::Ok().json(BacklogView::all(&backlog)))
}

async fn order(
    services: web::Data<Services>,
    query: web::Query<OrderQuery>,
    order: web::Json<Order>,
) -> Answer {
    let mode = if query.dry_run { Mode::DryRun } else { Mode::Make };
    let report = services.administration.carry_out(&order, mode).await?;
    Ok(HttpResponse::Ok().json(ReportView::of(&report)))
}

async fn provision_again(services: web::Data<Services>) -> Answer {
    let results = services.administration.provision_again().await?;
    Ok(HttpResponse::Ok().json(ProvisionedView::all(&results)))
}

fn case_of(text: &str) -> Result<CaseId, Problem> {
    text.parse()
        .map_err(|fault| Problem::request(&format!("{fault}")))
}

async fn case(services: web::Data<Services>, case: web::Path<String>) -> Answer {
    let case = case_of(&case)?;
    let desk = Arc::clone(&services.administration);
    let events = blocking(move || desk.case(case))
        .await?
        .map_err(|fault| Problem::store(&fault))?;
    if events.is_empty() {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "case",
            format!("no case {case}"),
            Told::CaseUnknown {
                case: case.to_string(),
            },
        ));
    }
    Ok(HttpResponse::Ok().json(CaseView::of(case, &events)))
}

async fn parked(services: web::Data<Services>) -> Answer {
    let desk = Arc::clone(&services.administration);
    let parked = blocking(move || desk.parked())
        .await?
        .map_err(|fault| Problem::store(&fault))?;
    Ok(HttpResponse::Ok().json(ParkedView::all(&parked)))
}

async fn parked_release(services: web::Data<Services>, case: web::Path<String>) -> Answer {
    let case = case_of(&case)?;
    let state = services.parking.release(case).await?;
    Ok(HttpResponse::Ok().json(StandingView::of(case, state)))
}

async fn parked_refuse(services: web::Data<Services>, case: web::Path<String>) -> Answer {
    let case = case_of(&case)?;
    services.administration.refuse_parked(case).await?;
    Ok(HttpResponse::Ok().json(StandingView::of(case, CaseState::Refused)))
}

async fn trust_status(services: web::Data<Services>) -> Answer {
    Ok(HttpResponse::Ok().json(TrustView::of(&services.trust.status())))
}

async fn trust_refresh(services: web::Data<Services>) -> Answer {
    Ok(HttpResponse::Ok().json(TrustView::of(&services.trust.refresh().await)))
}

/// A body that was not too large.
type Body = Result<web::Bytes, actix_web::Error>;

fn whole(body: Body) -> Result<Vec<u8>, Problem> {
    body.map(|body| body.to_vec())
        .map_err(|error| Problem::request(&error.to_string()))
}

async fn trust_import(services: web::Data<Services>, list: Body) -> Answer {
    let list = whole(list)?;
    match services.trust.import(list).await {
        Ok(line) => Ok(HttpResponse::Ok().json(ListView::of(&line))),
        Err(fault) => {
            let told = Told::from(&fault);
            Err(match fault {
                TrustDeskFault::Refused(_) => {
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list", fault, told)
                }
                TrustDeskFault::NotKept(_) => Problem::ours(&fault, told),
            })
        }
    }
}

async fn trust_material(services: web::Data<Services>) -> Answer {
    Ok(HttpResponse::Ok().json(MaterialView::of(&services.trust.status())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdditionQuery {
    /// The fingerprint of the anchor; absent: candidates.
    anchor: Option<String>,
}

async fn trust_add(services: web::Data<Services>, query: web::Query<AdditionQuery>, file: Body) -> Answer {
    let anchor = query.into_inner().anchor.map(|text| {
        let unfit = |_| Problem::request(&format!("{text} is no fingerprint"));
        text.parse().map_err(unfit)
    });
    let addition = Addition {
        file: whole(file)?,
        anchor: anchor.transpose()?,
    };
    let added = services.trust.add(addition).await;
    let added = added.map_err(|fault| {
        let told = Told::from(&fault);
        match fault {
            AdditionFault::NotKept(_) => Problem::ours(&fault, told),
            AdditionFault::Unreadable(_)
            | AdditionFault::TooMany(_)
            | AdditionFault::NoFolder
            | AdditionFault::SeveralAnchors(_)
            | AdditionFault::Another { .. }
            | AdditionFault::NotSelfSigned(_)
            | AdditionFault::Unpinned(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "certificates", fault, told)
            }
        }
    })?;
    Ok(HttpResponse::Ok().json(AddedView::of(&added)))
}

async fn clock_accept(services: web::Data<Services>) -> Answer {
    info!(state = ?services.clock.steady(), "the time of day was accepted by a person");
    services.clock.accept();
    Ok(HttpResponse::NoContent().finish())
}
