//! The journey: a province is set up, documents travel in every way they can, and everything is held against the books.
//!
//! **Invariant**: a step that cannot go on is an outcome that is not as expected, never the end of the run.

mod commands;
mod documents;
mod evidence;

use std::{panic::AssertUnwindSafe, path::Path};

use domain::packet::StatusCode;
use futures_util::FutureExt;
use harness::province::{AgencyPlan, Plan, Province};

use crate::{outcome::Outcome, progress::Progress};

/// The statuses that every addressee reports, in this order.
const STATUSES: [StatusCode; 4] = [
    StatusCode::Arrived,
    StatusCode::Accepted,
    StatusCode::InProgress,
    StatusCode::Completed,
];

/// The province office, and the agencies by what they do here.
const OFFICE: usize = 0;
const ADDRESSEES: [usize; 3] = [1, 2, 3];
/// These two use the connector's command in place of the library.
const TYPING_SENDER: usize = 4;
const TYPING_ADDRESSEE: usize = 5;

fn agencies() -> Vec<AgencyPlan> {
    vec![
        AgencyPlan::named("Văn phòng Ủy ban nhân dân tỉnh", "000.00.01.H53", "Tỉnh"),
        AgencyPlan::named("Sở Tài chính", "000.00.02.H53", "Sở"),
        AgencyPlan::named("Sở Y tế", "000.00.03.H53", "Sở"),
        AgencyPlan::named("Ủy ban nhân dân xã Bình An", "000.01.40.H53", "Xã"),
        AgencyPlan::named("Sở Nội vụ", "000.00.04.H53", "Sở"),
        AgencyPlan::named("Ủy ban nhân dân phường Hòa Bình", "000.02.40.H53", "Xã"),
    ]
}

/// A province that runs, and where to tell what happens.
pub(crate) struct Journey<'p> {
    province: Province,
    progress: &'p Progress,
}

impl<'p> Journey<'p> {
    /// Sets the province up. When that fails, this is the only outcome.
    pub(crate) async fn begin(
        progress: &'p Progress,
        folder: &Path,
        outcomes: &mut Vec<Outcome>,
    ) -> Option<Journey<'p>> {
        progress.step(
            "khởi động broker riêng, tạo PKI, chạy cổng, đăng ký cơ quan",
            "starting a private broker, making a PKI, running the gateway, enrolling agencies",
        );
        let plan = Plan::new(0).agencies(agencies()).exclusive().folder(folder);
        let started = AssertUnwindSafe(Province::start(plan)).catch_unwind().await;
        let ready = |count: usize| format!("{count} cơ quan sẵn sàng / agencies ready");
        let (province, observed) = match started {
            Ok(province) => {
                let count = province.agencies().len();
                (Some(province), ready(count))
            }
            Err(panic) => (None, message(&*panic)),
        };
        outcomes.push(Outcome {
            name: "Thiết lập tỉnh / the province is set up",
            expected: ready(agencies().len()),
            observed,
        });
        province.map(|province| Journey { province, progress })
    }

    /// Every way that a document can take, one after the other.
    pub(crate) async fn travel(&mut self, outcomes: &mut Vec<Outcome>) {
        let ordinary = self.documents(outcomes).await;
        self.progress.step(
            "văn bản hỏa tốc, gửi và nhận bằng lệnh connector",
            "an urgent document, sent and received by the connector's command",
        );
        let expected = "accepted, Urgent, 1 × nguyên vẹn / intact".to_owned();
        let observed = attempt(commands::urgent(&mut self.province)).await;
        outcomes.push(Outcome {
            name: "Hỏa tốc, bằng lệnh / urgent, by command",
            expected,
            observed,
        });
        self.evidence(&ordinary, outcomes).await;
    }

    async fn documents(&self, outcomes: &mut Vec<Outcome>) -> documents::Ordinary {
        let province = &self.province;
        self.progress.step(
            "gửi văn bản ký số tới ba cơ quan, trạng thái trả về",
            "sending a signed document to three agencies, statuses flow back",
        );
        let mut ordinary = documents::Ordinary::default();
        outcomes.push(Outcome {
            name: "Tới ba nơi nhận / to three addressees",
            expected: "SubmissionAcceptance, 3 × nguyên vẹn / intact, 3 × ContentHandover".to_owned(),
            observed: attempt(ordinary.send(province)).await,
        });
        let all: Vec<&str> = STATUSES.iter().map(|status| status.code()).collect();
        outcomes.push(Outcome {
            name: "Trạng thái trả về / statuses flow back",
            expected: format!("3 × {}", all.join(" ")),
            observed: attempt(ordinary.report(province)).await,
        });
        self.progress.step(
            "gửi văn bản có chữ ký hỏng, rồi của người ký bị thu hồi chứng thư",
            "sending a broken signature, then a revoked signer",
        );
        outcomes.push(Outcome {
            name: "Chữ ký hỏng / a broken signature",
            expected: "SubmissionRejection SIGNATURE_INVALID, không gửi đi / not delivered".to_owned(),
            observed: attempt(documents::broken(province)).await,
        });
        outcomes.push(Outcome {
            name: "Chứng thư bị thu hồi / a revoked signer",
            expected: "SubmissionRejection SIGNER_REVOKED, không gửi đi / not delivered".to_owned(),
            observed: attempt(documents::revoked(province)).await,
        });
        self.progress.step(
            "gửi văn bản chưa kiểm tra được thu hồi; chờ danh sách thu hồi trở lại",
            "sending a document whose revocation is unknown; waiting for the list to come back",
        );
        outcomes.push(Outcome {
            name: "Tạm giữ rồi tự đi tiếp / held, then released",
            expected: "SubmissionHeld revocation-unknown, SubmissionAcceptance, 1 × nguyên vẹn / intact"
                .to_owned(),
            observed: attempt(documents::held(province)).await,
        });
        ordinary
    }

    async fn evidence(&self, ordinary: &documents::Ordinary, outcomes: &mut Vec<Outcome>) {
        let province = &self.province;
        self.progress.step(
            "kiểm tra biên nhận bằng openssl, đối chiếu sổ sách",
            "checking a receipt with openssl, holding everything against the books",
        );
        let count = province.ledger.submissions().len();
        outcomes.push(Outcome {
            name: "Biên nhận theo chứng thư cổng / receipts, gateway's certificate",
            expected: format!("{count}/{count} đúng / check"),
            observed: attempt(async { evidence::receipts(province) }).await,
        });
        outcomes.push(Outcome {
            name: "Biên nhận theo openssl / a receipt, openssl cms -verify",
            expected: "CMS Verification successful, SubmissionAcceptance".to_owned(),
            observed: attempt(async { evidence::openssl(province, ordinary.receipt()).await }).await,
        });
        let (expected, observed) = match AssertUnwindSafe(evidence::balance(province)).catch_unwind().await {
            Ok(both) => both,
            Err(panic) => (evidence::balanced(), message(&*panic)),
        };
        outcomes.push(Outcome {
            name: "Sổ sách / the books",
            expected,
            observed,
        });
    }

    /// Folders, logs and addresses; and how to go on by hand when everything is left serving.
    #[expect(clippy::print_stdout, reason = "a command")]
    pub(crate) fn say_where_to_look(&self, keep: bool) {
        let (province, gateway) = (&self.province, &self.province.gateway);
        println!("\nXem ở đâu / where to look");
        println!("  dữ liệu / data          {}", province.folder().display());
        println!("  nhật ký cổng / log      {}", gateway.log().display());
        println!(
            "  nhật ký broker / log    {}",
            province.folder().join("broker/log").display()
        );
        println!(
            "  biên nhận / a receipt   {}",
            evidence::receipt_file(province).display()
        );
        if !keep {
            println!("  chạy tiếp / serve on    ops/run --keep");
            return;
        }
        let address = gateway.address().unwrap_or_default();
        println!("  số liệu / metrics       {address}/metrics");
        println!("  trạng thái / readiness  {address}/ready");
        let (broker, password) = (province.broker(), gateway.folder().join("provision.password"));
        let (uri, user) = (broker.management_uri(), &broker.admin().user);
        println!("  broker                  {uri} ({user}, {})", password.display());
        commands::say_how(province);
    }

    /// Frees the folders of all agencies for the command; gateway and broker go on serving.
    #[expect(clippy::print_stdout, reason = "a command")]
    pub(crate) async fn leave_serving(&mut self) {
        for place in 0..self.province.agencies().len() {
            self.province.agency_mut(place).close().await;
        }
        println!("\nĐang phục vụ; Ctrl-C để dừng / serving; Ctrl-C to stop");
    }

    /// Stops everything in order, and says whether it ended by itself; what did not is killed.
    pub(crate) async fn end(self) -> Result<(), String> {
        self.progress
            .step("dừng mọi thứ đã khởi động", "stopping all that was started");
        let ended = AssertUnwindSafe(self.province.end()).catch_unwind().await;
        ended.map_err(|panic| message(&*panic))
    }
}

/// What a step observed, or why it could not go on.
async fn attempt(step: impl Future<Output = String>) -> String {
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(observed) => observed,
        Err(panic) => message(&*panic),
    }
}

/// The words of a panic: what was waited for in vain, or which command failed.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panic").replace('\n', " ")
}
