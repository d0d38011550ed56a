//! The command line of `gateway agency`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What may go with every change of the directory.
#[derive(Debug, Args)]
pub(super) struct AgencyArguments {
    /// Chỉ cho biết điều gì sẽ xảy ra / only say what would happen, with what is in flight.
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Ghi mật khẩu mới vào tệp này (0600) thay vì in ra / write new passwords here instead of printing them.
    #[arg(long, global = true)]
    pub(super) password_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: AgencyCommand,
}

/// How software is answered.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum AnswersWord {
    /// Biên nhận có ký / signed receipts.
    Receipts,
    /// Biên nhận, và từ chối cũng dưới dạng gói trạng thái 02 / receipts, and refusals as status packets too.
    ReceiptsAndStatus,
}

/// What one agency is to another.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RelationWord {
    /// Cơ quan cấp trên / the next one up in the chain of command.
    Parent,
    /// Địa bàn / the territory it sits in.
    Place,
    /// Cơ quan theo dõi / who follows it up.
    Watcher,
}

/// Who stands behind a certificate.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SignatoryWord {
    /// Người có thẩm quyền / a person who may sign.
    Person,
    /// Cơ quan, tổ chức / the agency itself.
    Organisation,
    /// Thiết bị, dịch vụ / a machine.
    Device,
}

/// An agency is named by its id (a17) or by a code that it has now.
#[derive(Debug, Subcommand)]
pub(super) enum AgencyCommand {
    /// Thêm một cơ quan / add an agency, with an account.
    Add(AddArguments),
    /// Nhập danh mục từ CSV / import a list in CSV (columns code, name; code_qd20, level, parent, place, watcher).
    Import {
        /// Tệp CSV / the file.
        file: PathBuf,
        /// Mở tài khoản cho mỗi cơ quan mới / open an account for each new agency.
        #[arg(long, value_enum)]
        accounts: Option<AnswersWord>,
    },
    /// Liệt kê / list them.
    List {
        /// Cả cơ quan đã chấm dứt / ended ones too.
        #[arg(long)]
        all: bool,
    },
    /// Chi tiết một cơ quan / show one.
    Show {
        /// Cơ quan / which.
        agency: String,
    },
    /// Tạm ngừng / suspend; live connections are closed.
    Suspend {
        /// Cơ quan / which.
        agency: String,
    },
    /// Cho tham gia lại / resume.
    Resume {
        /// Cơ quan / which.
        agency: String,
    },
    /// Đổi tên / rename.
    Rename {
        /// Cơ quan / which.
        agency: String,
        /// Tên mới / the new name.
        name: String,
    },
    /// Đổi mã / give and end codes.
    Recode {
        /// Cơ quan / which.
        agency: String,
        /// Mã thêm / codes that begin.
        #[arg(long = "add")]
        added: Vec<String>,
        /// Mã thôi dùng / codes that end.
        #[arg(long = "end")]
        ended: Vec<String>,
    },
    /// Đặt quan hệ / set a relation; without TO it ends.
    Relate {
        /// Cơ quan / which.
        agency: String,
        /// Quan hệ / which relation.
        #[arg(value_enum)]
        relation: RelationWord,
        /// Với cơ quan / to whom.
        to: Option<String>,
    },
    /// Hợp nhất, sáp nhập / merge agencies into another one.
    Merge {
        /// Các cơ quan chấm dứt / those that end.
        #[arg(required = true)]
        from: Vec<String>,
        /// Cơ quan kế thừa / their heir.
        #[arg(long)]
        into: String,
    },
    /// Chia / split an agency; the first heir gets the inbox.
    Split {
        /// Cơ quan chấm dứt / the one that ends.
        from: String,
        /// Các cơ quan kế thừa / its heirs.
        #[arg(long, required = true, num_args = 2..)]
        into: Vec<String>,
    },
    /// Giải thể / close an agency.
    Close {
        /// Cơ quan / which.
        agency: String,
        /// Cơ quan kế thừa / its heir.
        #[arg(long)]
        successor: Option<String>,
    },
    /// Ghi nhận chứng thư / register a certificate as the agency's own.
    Pin {
        /// Cơ quan / whose.
        agency: String,
        /// Tệp chứng thư PEM hoặc DER / the certificate.
        certificate: PathBuf,
        /// Ai đứng sau / who stands behind it.
        #[arg(long = "as", value_enum)]
        signatory: SignatoryWord,
    },
    /// Thôi ghi nhận chứng thư / end a certificate.
    Unpin {
        /// Cơ quan / whose.
        agency: String,
        /// Dấu vân tay SHA-256 / its SHA-256 fingerprint.
        fingerprint: String,
    },
    /// Tài khoản phần mềm / accounts of document systems.
    #[command(subcommand)]
    Account(AccountCommand),
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// Tên / its name.
    #[arg(long)]
    pub(super) name: String,
    /// Mã, có thể lặp / its codes.
    #[arg(long = "code")]
    pub(super) codes: Vec<String>,
    /// Cấp trên / the next one up.
    #[arg(long)]
    pub(super) parent: Option<String>,
    /// Địa bàn / whose territory it sits in.
    #[arg(long)]
    pub(super) place: Option<String>,
    /// Theo dõi / who follows it up.
    #[arg(long)]
    pub(super) watcher: Option<String>,
    /// Cấp hành chính / its level.
    #[arg(long, default_value = "")]
    pub(super) level: String,
    /// Cách trả lời phần mềm / how its software is answered.
    #[arg(long, value_enum, default_value = "receipts")]
    pub(super) answers: AnswersWord,
    /// Chưa mở tài khoản / open no account yet.
    #[arg(long, conflicts_with = "answers")]
    pub(super) no_account: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Mở thêm / open a further one.
    Open {
        /// Cơ quan / whose.
        agency: String,
        /// Cách trả lời phần mềm / how its software is answered.
        #[arg(long, value_enum, default_value = "receipts")]
        answers: AnswersWord,
    },
    /// Đóng / close one.
    Close {
        /// Tài khoản / which.
        account: String,
    },
    /// Cấp mật khẩu mới / give it a new password.
    Renew {
        /// Tài khoản / which.
        account: String,
    },
}

impl AnswersWord {
    pub(super) fn word(self) -> String {
        match self {
            AnswersWord::Receipts => "receipts".to_owned(),
            AnswersWord::ReceiptsAndStatus => "receipts-and-status".to_owned(),
        }
    }
}

impl RelationWord {
    pub(super) fn word(self) -> String {
        match self {
            RelationWord::Parent => "parent".to_owned(),
            RelationWord::Place => "place".to_owned(),
            RelationWord::Watcher => "watcher".to_owned(),
        }
    }
}

impl SignatoryWord {
    pub(super) fn word(self) -> String {
        match self {
            SignatoryWord::Person => "person".to_owned(),
            SignatoryWord::Organisation => "organisation".to_owned(),
            SignatoryWord::Device => "device".to_owned(),
        }
    }
}
