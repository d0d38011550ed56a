//! What the command and the configuration say to people: Vietnamese first, English second, in one table.
//!
//! Logs and `--json` are for programs and are not here. What a fault of the system, of the broker or of a packet is
//! called comes from there, and is put in as it is.
//!
//! **Invariant:** both languages of a text name the same values.

/// Declares each text once, with its two languages; `{name}` is filled in when it is said.
macro_rules! texts {
    ($($name:ident = $vi:literal, $en:literal;)*) => {
        /// A text of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Text { $(#[allow(missing_docs)] $name,)* }

        impl Text {
            #[cfg(test)]
            const ALL: &'static [Text] = &[$(Text::$name,)*];

            fn languages(self) -> [&'static str; 2] {
                match self { $(Text::$name => [$vi, $en],)* }
            }
        }
    };
}

texts! {
    // What keeps the connector from its broker: what is wrong, and what to do.
    TroubleFolder = "Thư mục dữ liệu không ghi được ({reason}): kiểm tra dung lượng đĩa và quyền ghi; văn bản đến vẫn nằm ở broker, bộ kết nối tự thử lại",
        "The data folder takes nothing ({reason}): check the space on the disk and the right to write; what arrives stays at the broker, and the connector tries again by itself";
    TroubleLoginRefused = "Broker không cho tài khoản {account} đăng nhập: kiểm tra tên tài khoản và tệp mật khẩu (sửa xong thì chạy lại lệnh), nếu đúng cả thì hỏi văn phòng tỉnh xem tài khoản có bị tạm khóa không; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "The broker does not let account {account} in: check the account and the password file (start the command again after a change); if both are right, ask the province office whether the account is suspended; documents stay in the outbox, and the connector tries again by itself";
    TroubleNoRights = "Tài khoản {account} đăng nhập được nhưng không có quyền gửi hoặc nhận ({reason}): hỏi văn phòng tỉnh xem tài khoản có bị tạm khóa hay chưa được cấp quyền; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "Account {account} is let in and may not send or receive ({reason}): ask the province office whether it is suspended or not set up; documents stay in the outbox, and the connector tries again by itself";
    TroubleNoVirtualHost = "Broker {broker} không có vhost này cho tài khoản {account} ({reason}): kiểm tra phần sau địa chỉ trong broker.uri, nếu đúng thì hỏi văn phòng tỉnh; bộ kết nối tự thử lại",
        "Broker {broker} has no such virtual host for account {account} ({reason}): check what follows the address in broker.uri; if it is right, ask the province office; the connector tries again by itself";
    TroubleQueueMissing = "Hộp nhận hoặc nơi nhận văn bản gửi của tài khoản {account} chưa có trên broker ({reason}): báo văn phòng tỉnh thiết lập lại tài khoản; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "The inbox or the exchange of account {account} is not at the broker ({reason}): tell the province office to set the account up again; documents stay in the outbox, and the connector tries again by itself";
    TroubleUnreachable = "Không tới được broker {broker} ({reason}): kiểm tra địa chỉ broker.uri và đường mạng, hỏi văn phòng tỉnh xem broker có đang chạy không; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "The broker {broker} is not reached ({reason}): check the address broker.uri and the network, and ask the province office whether the broker runs; documents stay in the outbox, and the connector tries again by itself";
    TroubleUnstable = "Kết nối tới broker {broker} cứ nối được lại mất ({reason}): kiểm tra đường mạng, báo văn phòng tỉnh; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "Connections to broker {broker} are lost as soon as they are made ({reason}): check the network and tell the province office; documents stay in the outbox, and the connector tries again by itself";
    TroubleUntrusted = "Đường tới broker {broker} không tin được ({reason}): kiểm tra broker.authorities_file, chứng thư đăng nhập và giờ của máy; văn bản vẫn nằm trong hộp gửi, bộ kết nối tự thử lại",
        "The way to broker {broker} is not trusted ({reason}): check broker.authorities_file, the login certificate and the clock of this machine; documents stay in the outbox, and the connector tries again by itself";
    Working = "Đã nối với broker {broker}, gửi nhận bình thường", "Connected to broker {broker}, sending and receiving";

    // What happens while `watch` runs.
    EventAnswered = "Trục trả lời {submission}: {receipt}", "The gateway answers {submission}: {receipt}";
    EventBlocked = "Broker tạm không nhận thêm ({reason}), sẽ gửi tiếp khi được", "The broker takes nothing for now ({reason}); sending goes on by itself";
    EventHandovers = "Đã báo nhận {count} gói", "{count} handovers confirmed";
    EventNoQueue = "Chưa gửi được {submission}: broker chưa có hàng đợi của tài khoản, sẽ tự gửi lại; nếu kéo dài thì báo văn phòng tỉnh",
        "{submission} is not taken now: the broker has no queue for this account; it is sent again by itself; tell the province office if this lasts";
    EventPublished = "Đã gửi {submission}", "Sent {submission}";
    EventRecalled = "Văn bản {dispatch} bị thu hồi trước khi nhận, theo {by}", "{dispatch} was recalled before it was taken, by {by}";
    EventQueueFull = "Chưa gửi được {submission}: hàng đợi của trục đang đầy, sẽ tự gửi lại", "{submission} is not taken now: the queue of the gateway is full; it is sent again by itself";
    EventReceiptDoubted = "Biên nhận {dispatch} không tin được ({reason}): kiểm tra receipts.gateway_certificates, nếu đúng thì báo văn phòng tỉnh; văn bản vẫn nằm trong hộp gửi",
        "The receipt {dispatch} cannot be believed ({reason}): check receipts.gateway_certificates, and tell the province office if they are right; the document stays in the outbox";
    EventRepeated = "{dispatch} đến lần nữa, bỏ qua", "{dispatch} came again and is dropped";
    EventStored = "Đã nhận {kind} {dispatch}, hồ sơ {case}, văn bản {document}", "Stored {kind} {dispatch}, case {case}, document {document}";
    EventUnblocked = "Broker nhận lại", "The broker takes again";
    EventUnreadable = "Một tin trong hộp nhận không đúng quy cách ({reason}), broker để riêng: báo văn phòng tỉnh",
        "A message of the inbox is not of the contract ({reason}); the broker lays it aside: tell the province office";
    EventsMissed = "Không kịp hiện {count} việc", "{count} events are not told";

    // What was stored and cannot be read back.
    DamagedIncoming = "Văn bản đến {dispatch} (hồ sơ {case}) hỏng trên đĩa, phần còn lại để riêng trong {file}: báo văn phòng tỉnh gửi lại, kiểm tra đĩa; các văn bản khác vẫn tiếp tục",
        "The document {dispatch} (case {case}) that came is damaged on the disk, what is left lies in {file}: ask the province office to send it again, and check the disk; all others go on";
    DamagedLog = "{count} chỗ hỏng trong nhật ký, đã để riêng trong {folder} (tệp .damaged): đối chiếu văn bản đã gửi chưa có trả lời và gửi lại, báo văn phòng tỉnh đối chiếu văn bản đến, kiểm tra đĩa; phần còn lại vẫn tiếp tục",
        "{count} places of the log are damaged and set aside in {folder} (files .damaged): look for documents that were sent and not answered and send them again, ask the province office about those that came, and check the disk; all others go on";
    DamagedOutgoing = "Văn bản đi {submission} hỏng trên đĩa, phần còn lại để riêng trong {file}: gửi lại từ bản gốc, kiểm tra đĩa; các văn bản khác vẫn tiếp tục",
        "The document {submission} in the outbox is damaged on the disk, what is left lies in {file}: send it again from the original, and check the disk; all others go on";

    // The spool and the folder of received documents.
    SpoolNotNow = "Chưa nhận được, sẽ thử lại: {fault}", "Not now, tried again: {fault}";
    SpoolSetAside = "Không nhận gói {submission}, để riêng: {fault}", "Packet {submission} is set aside: {fault}";
    SpoolStranger = "Không nhận tệp {name} trong thư mục gửi: tên phải là MÃ.normal.edxml hoặc MÃ.urgent.edxml; đổi tên tệp rồi bộ kết nối sẽ nhận",
        "The file {name} of the spool is not taken: its name must be ID.normal.edxml or ID.urgent.edxml; give it such a name and the connector takes it";
    SpoolUnreadable = "không đọc được tệp ({fault}): kiểm tra quyền đọc và đĩa, rồi gửi lại văn bản",
        "the file cannot be read ({fault}): check the right to read and the disk, and send the document again";
    WriteNotNow = "Chưa ghi được văn bản nhận, sẽ thử lại: {fault}", "What was received cannot be written now, tried again: {fault}";

    // What became of a submission.
    Accepted = "{name}: đã tiếp nhận, hồ sơ {case}", "accepted, case {case}, for {name}";
    Addressee = "  {code}: không gửi được ({result})", "{code}: not reached ({result})";
    Held = "{name}: trục đang giữ lại chờ xử lý, hồ sơ {case}", "held by the gateway, case {case}, for {name}";
    HeldGoesOn = "  → không cần gửi lại: trục tự xử lý tiếp, lệnh `connector watch` nhận kết quả ({submission})",
        "nothing to do: it goes on by itself, `connector watch` takes the result ({submission})";
    IssuerUnknown = "  chưa tìm được chứng thư của cơ quan cấp «{about}»", "the certificate of the issuer «{about}» is not found yet";
    NoAnswer = "{name}: chưa có trả lời; văn bản vẫn nằm trong hộp gửi ({submission}), lệnh `connector watch` gửi tiếp",
        "no answer yet for {name}; it stays in the outbox ({submission}) and goes on with `connector watch`";
    Progress = "đã trả lời", "answered";
    Refused = "{name}: bị từ chối, hồ sơ {case}", "refused, case {case}, for {name}";
    Remarked = "  lưu ý: {code} {about}", "remark: {code} {about}";
    RevocationUnknown = "  chưa biết chứng thư do «{about}» cấp có bị thu hồi không",
        "not known whether certificates of «{about}» are revoked";

    // What a packet says, before it is sent.
    LabelBusiness = "nghiệp vụ", "business";
    LabelBytes = "kích thước", "bytes";
    LabelDocument = "văn bản", "document";
    LabelFiles = "tệp", "files";
    LabelFrom = "nơi gửi", "from";
    LabelNote = "ghi chú", "note";
    LabelPriority = "độ khẩn", "priority";
    LabelReason = "lý do", "reason";
    LabelSha = "SHA-256", "SHA-256";
    LabelStatus = "trạng thái", "status";
    LabelSubject = "trích yếu", "subject";
    LabelTargets = "tác động đến", "acts on";
    LabelTo = "nơi nhận", "to";
    KindNew = "mới", "new";
    KindRecall = "thu hồi", "recall";
    KindReplace = "thay thế", "replace";
    KindUpdate = "cập nhật", "update";
    ShownFault = "  sai, thiếu: {fault}", "wrong: {fault}";
    ShownOnly = "{name}: không gửi, chỉ xem", "{name} is shown, not sent";

    // Why a command did not do its work.
    Failed = "Lỗi: {fault}", "Fault: {fault}";
    FaultArgument = "sai tham số {argument}", "wrong argument {argument}";
    FaultCertificate = "không đọc được chứng thư của trục trong receipts.gateway_certificates", "a certificate in receipts.gateway_certificates cannot be read";
    FaultCode = "--code chỉ nhận 01–06, 13, 15, 16", "--code is one of 01–06, 13, 15, 16";
    FaultConfig = "Cấu hình sai {count} chỗ:", "The configuration has {count} faults:";
    FaultFile = "{path}: {error}", "{path}: {error}";
    FaultIdReused = "mã gửi {submission} đã dùng cho gói tin khác", "the submission id {submission} was used for another packet";
    FaultIncomplete = "gói tin thiếu: {missing}", "the packet is incomplete: {missing}";
    FaultLine = "Dòng lệnh sai:", "The command line is wrong:";
    FaultLocked = "một connector khác đang dùng {folder}: dừng nó trước, hoặc dùng `connector send` để gửi qua nó",
        "another connector runs on {folder}: end it first, or send through it with `connector send`";
    FaultNoAgency = "cấu hình thiếu phần [agency]", "[agency] is not configured";
    FaultNoDocument = "không thấy văn bản này trong {folder}", "no such document in {folder}";
    FaultNoReason = "--note: 02 và 16 phải có lý do", "--note: 02 and 16 need a reason";
    FaultNotADocument = "gói tin không phải văn bản", "the packet is not a document";
    FaultNothing = "không có gì để gửi: nêu tệp gói tin hoặc --to", "nothing to send: name packet files, or --to";
    FaultNotTaken = "gói tin không được nhận: {reason}", "the packet was not taken: {reason}";
    FaultOnePacket = "--out: chỉ một gói tin", "--out: one packet only";
    FaultPacket = "{path}: gói tin sai: {fault}", "{path}: the packet is wrong: {fault}";
    FaultReceipt = "biên nhận không tin được, báo văn phòng tỉnh: {fault}", "the receipt cannot be believed, tell the province office: {fault}";
    FaultStoreDamaged = "nhật ký hỏng (tệp {segment}, byte {offset}), có thể do phiên bản khác ghi: giữ nguyên thư mục dữ liệu, báo văn phòng tỉnh",
        "the log is damaged (segment {segment}, byte {offset}), perhaps written by another version: leave the data folder as it is and tell the province office";
    FaultStoreFile = "thư mục dữ liệu, {operation} {path}: {error}: kiểm tra dung lượng đĩa và quyền", "the data folder, {operation} {path}: {error}: check the space on the disk and the rights";
    FaultStoreStopped = "kho dữ liệu đã dừng vì đĩa lỗi: kiểm tra đĩa, rồi chạy lại connector", "the store has stopped because the disk failed: check the disk, then start the connector again";
    FaultTooLarge = "gói tin {bytes} byte, quá mức cho phép {bytes_max}", "the packet has {bytes} bytes, more than the {bytes_max} allowed";
    FaultUnwritable = "không lập được gói tin: {fault}", "the packet cannot be written: {fault}";

    // What is wrong with a configuration.
    ConfigFile = "{file}: {error}", "{file}: {error}";
    ConfigAgency = "cần phần [agency], vì tên cơ quan ghi trong trạng thái", "needs [agency], whose name stands in the status";
    ConfigEmpty = "tệp rỗng", "the file is empty";
    ConfigFlag = "phải là true hoặc false", "must be true or false";
    ConfigKeyUnfit = "không có khóa PEM", "no private key in PEM";
    ConfigLogin = "cần mật khẩu (tệp hoặc password_environment) hoặc certificate_file", "or password_environment or certificate_file is needed";
    ConfigMissing = "còn thiếu", "is missing";
    ConfigNoCertificate = "{file}: không có chứng thư PEM", "{file}: no certificate in PEM";
    ConfigNumber = "phải là số từ {from} đến {to}", "must be a number from {from} to {to}";
    ConfigPem = "phải là danh sách tệp PEM", "must be a list of PEM files";
    ConfigPemNone = "tệp không có chứng thư PEM", "no certificate in PEM";
    ConfigPemUnfit = "không dùng được chứng thư thứ {number} trong tệp", "certificate {number} of the file cannot be used";
    ConfigSection = "phải là một phần [..]", "must be a section";
    ConfigSections = "cần có", "are needed";
    ConfigText = "phải là chữ", "must be a text";
    ConfigTogether = "phải đi cùng key_file", "goes together with key_file";
    ConfigTwoPasswords = "chỉ dùng một trong hai: tệp này hoặc password_environment", "and password_environment exclude each other";
    ConfigUnknown = "không có mục này", "is not known";
    ConfigUriSecret = "không được chứa tên hoặc mật khẩu", "must not hold user or password";

    // Help.
    HelpAbout = "Gửi nhận văn bản điện tử qua trục liên thông", "Exchanges documents through the gateway";
    HelpAttach = "Tệp đính kèm, văn bản đã ký trước tiên", "A file, the signed document first";
    HelpCase = "Hồ sơ của văn bản", "The case of the document";
    HelpCode = "Mã trạng thái: 01 đến 06, 13, 15 hoặc 16", "The status: 01 to 06, 13, 15 or 16";
    HelpConfig = "Tệp cấu hình, mặc định connector.toml", "The configuration, connector.toml by default";
    HelpDate = "Ngày ban hành yyyy/MM/dd, mặc định hôm nay", "Date of promulgation yyyy/MM/dd, today by default";
    HelpDocument = "Mã văn bản", "The document's id";
    HelpDryRun = "Chỉ xem, không gửi", "Shows what would be sent, and does not send it";
    HelpFor = "Gửi trạng thái cho cơ quan nào, nếu không phải nơi gửi văn bản (13: nơi nhận được yêu cầu)",
        "Whom the status is for, if not the document's sender (13: the recipient that is asked)";
    HelpFrom = "Thư mục văn bản đã nhận, mặc định `received` trong thư mục dữ liệu", "Where received documents lie; `received` in the data folder by default";
    HelpHelp = "Hiện hướng dẫn này", "Shows this help";
    HelpIdle = "Với --once: dừng khi không có gì đến trong số giây này, mặc định 3",
        "With --once: ends when nothing came for so many seconds, 3 by default";
    HelpJson = "Mỗi việc một đối tượng JSON", "One JSON object for each thing told";
    HelpLog = "Ghi nhật ký gì ra standard error, mặc định `warn`, ví dụ `connector=debug`",
        "What is logged to standard error, `warn` by default, for instance `connector=debug`";
    HelpNotation = "Ký hiệu", "Notation";
    HelpNote = "Ghi chú; 02 và 16: lý do", "Text for people; the reason of 02 and 16";
    HelpNumber = "Số", "Number";
    HelpOnce = "Nhận xong thì dừng", "Ends when everything is there";
    HelpOut = "Với --dry-run: ghi edXML ra tệp này", "With --dry-run: writes the edXML to this file";
    HelpPacket = "Tệp chứa văn bản", "The document itself, as a file";
    HelpPackets = "Các gói tin edXML, gửi nguyên như vậy", "Packets to send as they are";
    HelpPosition = "Chức vụ người ký", "Position of the person who signed";
    HelpPriority = "Độ khẩn, 0 đến 4, mặc định 0", "Priority, 0 to 4, 0 by default";
    HelpReason = "Lý do", "Why";
    HelpRecall = "Thu hồi văn bản này", "Takes this document back";
    HelpReceive = "Nhận văn bản vào một thư mục", "Writes received documents to a folder";
    HelpReceiveTo = "Thư mục nhận, mặc định `received` trong thư mục dữ liệu", "Where to; `received` in the data folder by default";
    HelpReplaces = "Thay thế văn bản này, ở các cơ quan này hoặc tất cả; nhắc lại cho mỗi văn bản. Mã tự nó kết thúc bằng dấu hai chấm và các mã cơ quan thì thêm một dấu hai chấm",
        "Puts the packet in the place of this document, at these agencies or at all; again for each. An id that itself ends in a colon and codes is given with one more colon";
    HelpSend = "Gửi gói tin, hoặc lập một văn bản rồi gửi", "Sends packets, or builds one and sends it";
    HelpSigner = "Người ký", "Name of the person who signed";
    HelpStatus = "Gửi trạng thái xử lý của văn bản đã nhận", "Reports a status of a received document";
    HelpSubject = "Trích yếu", "Subject";
    HelpTo = "Mã cơ quan nhận, nhắc lại cho mỗi cơ quan", "Code of an addressee, again for each";
    HelpType = "Loại văn bản, dạng MÃ=TÊN, ví dụ 18=Công văn", "Type as CODE=NAME, for instance 18=Công văn";
    HelpUpdate = "Cập nhật văn bản này", "Changes this document";
    HelpVersion = "Hiện phiên bản", "Shows the version";
    HelpWait = "Chờ biên nhận bao nhiêu giây; mặc định 120, và khi đó không chờ văn bản trục đang giữ",
        "How long to wait for the receipt, in seconds; 120 by default, and then not for what the gateway holds";
    HelpWatch = "Chạy thường trực, hiện mọi việc xảy ra", "Keeps outbox and inbox going and tells what happens";
    HelpWatchTo = "Cũng ghi văn bản nhận được vào thư mục này; không có thì văn bản nằm trong thư mục dữ liệu cho đến khi `connector receive` lấy ra",
        "Also writes received documents to this folder; without it they stay in the data folder until `connector receive` takes them out";
    HeadingArguments = "Đối số", "Arguments";
    HeadingCommands = "Lệnh", "Commands";
    HeadingOptions = "Tùy chọn", "Options";
    HeadingUsage = "Cách dùng", "Usage";
}

impl Text {
    /// Each language with these values filled in, Vietnamese first.
    pub fn both(self, values: &[(&str, &str)]) -> [String; 2] {
        self.languages().map(|text| fill(text, values))
    }

    /// The text in both languages on one line.
    pub fn with(self, values: &[(&str, &str)]) -> String {
        on_one_line(self.both(values))
    }

    /// The same around a `{fault}` that is told in both languages itself: each stands in its own.
    pub fn with_fault(self, fault: &[String; 2], values: &[(&str, &str)]) -> String {
        let [vi, en] = self.languages();
        let around = |text, fault: &str| fill(text, &[&[("fault", fault)], values].concat());
        on_one_line([around(vi, &fault[0]), around(en, &fault[1])])
    }
}

fn on_one_line([vi, en]: [String; 2]) -> String {
    if vi.trim() == en {
        vi
    } else {
        format!("{vi} / {en}")
    }
}

/// Puts each value in its place, in one pass: what a value holds is never taken for a name.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_text_has_both_languages_and_both_name_the_same_values() {
        for text in Text::ALL {
            let [vi, en] = text.languages();
            assert!(!vi.trim().is_empty() && !en.trim().is_empty(), "{text:?}");
            assert_eq!(names(vi), names(en), "{text:?}");
        }
    }

    #[test]
    fn vietnamese_comes_first_and_a_value_is_no_name() {
        let said = Text::EventPublished.with(&[("submission", "{submission}")]);
        assert_eq!(said, "Đã gửi {submission} / Sent {submission}");
        assert_eq!(Text::LabelSha.with(&[]), "SHA-256", "the same in both");
        let fault = ["đĩa đầy", "the disk is full"].map(str::to_owned);
        let said = Text::Failed.with_fault(&fault, &[]);
        assert_eq!(said, "Lỗi: đĩa đầy / Fault: the disk is full");
    }
}
