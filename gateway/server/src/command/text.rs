//! What commands say to people: Vietnamese first, English second, in one table.

/// Declares each text once, with its two languages; `{name}` is filled in when it is said.
macro_rules! texts {
    ($($name:ident = $vi:literal, $en:literal;)*) => {
        /// A text of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Text { $(#[allow(missing_docs)] $name,)* }

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
    AccountNotProvisioned = "Chưa tạo được tài khoản {account} trên broker: {fault}",
        "Account {account} is not yet made at the broker: {fault}";
    AccountOpened = "Tài khoản {account} của {agency}", "Account {account} of {agency}";
    AccountProvisioned = "Đã thiết lập lại {count} tài khoản trên broker", "{count} accounts set up at the broker again";
    AccountsOpening = "Đang mở tài khoản", "Opening accounts";
    AgencyAdded = "Đã thêm {agency}", "Added {agency}";
    AgencyEnds = "{agency} chấm dứt; hộp thư chuyển cho {heir}", "{agency} ends; its inbox goes to {heir}";
    AgencyInFlight = "  đang trên đường: đến {incoming}, đi {outgoing}, tạm giữ {held}",
        "under way: in {incoming}, out {outgoing}, held {held}";
    AgencyKeeps = "  mã {codes} dẫn tới cơ quan kế thừa; đóng tài khoản {accounts}; {certificates} chứng thư hết hiệu lực",
        "codes {codes} lead to the heir; accounts {accounts} close; {certificates} certificates end";
    AgencyRenamed = "Đổi tên: {from} → {to}", "Renamed: {from} → {to}";
    AgencyUnknown = "Không có cơ quan {agency}", "There is no agency {agency}";
    CaseStands = "Hồ sơ {case}: {state}", "Case {case}: {state}";
    CertificateIsAuthority = "Đây là chứng thư của tổ chức cấp chứng thư, không phải của người ký",
        "This is the certificate of an authority, not of a signer";
    Change = "{change}", "{change}";
    CheckAnchors = "Tin cậy: {anchors} gốc, {candidates} chứng thư trung gian, {lists} danh sách thu hồi",
        "Trust: {anchors} anchors, {candidates} issuing certificates, {lists} revocation lists";
    CheckBroker = "Broker: {uri}, vhost {vhost}, người dùng {user}", "Broker: {uri}, vhost {vhost}, user {user}";
    CheckBrokerAway = "Không kết nối được broker: {fault}", "The broker cannot be reached: {fault}";
    CheckBrokerReached = "Broker trả lời", "The broker answers";
    CheckGood = "Cấu hình hợp lệ", "The configuration is sound";
    CheckIdentity = "Cổng {code}, dữ liệu ở {data}", "Gateway {code}, data in {data}";
    CheckKey = "Khóa ký biên nhận: {subject}, hết hạn {until}", "Receipt key: {subject}, ends {until}";
    CheckListen = "Cổng nội bộ: {listen}", "Internal port: {listen}";
    CheckNotLoopback = "Chú ý: cổng nội bộ mở ra ngoài máy này", "Mind: the internal port is open beyond this machine";
    CheckUnprovisioned = "Không có [broker.provision]: tài khoản phải tạo bằng tay",
        "No [broker.provision]: accounts must be made by hand";
    ClockAccepted = "Đã chấp nhận giờ hiện tại", "The time of day is accepted";
    CodeMoves = "Mã {code}: {from} → {to}", "Code {code}: {from} → {to}";
    ConfigFaults = "Cấu hình có {count} lỗi:", "The configuration has {count} faults:";
    DryRun = "Chạy thử, chưa thay đổi gì:", "Dry run, nothing was changed:";
    Failed = "Không thực hiện được: {fault}", "Not done: {fault}";
    ImportColumns = "Bỏ qua các cột: {columns}", "Columns left out: {columns}";
    ImportRead = "Đọc {read} dòng: {same} dòng không có gì mới, {bad} lỗi",
        "{read} rows read: {same} say nothing new, {bad} faults";
    ImportRow = "  dòng {line}: {reason}", "line {line}: {reason}";
    KeyMade = "Đã tạo {key} và {certificate}", "Made {key} and {certificate}";
    ListImported = "Đã nhận danh sách thu hồi của {issuer}, số {number}",
        "Took the revocation list of {issuer}, number {number}";
    MessagesTaken = "Đã lấy {count} bản tin ra {folder}: xem lý do trong tệp .json, báo cho tài khoản đã gửi",
        "{count} messages taken out into {folder}: see the reason in the .json file, tell the account that sent it";
    Moved = "{what}: {from} → {to}", "{what}: {from} → {to}";
    Nobody = "không ai", "nobody";
    ParkedAdvice = "Sửa nguyên nhân (nâng cấp, nới giới hạn) rồi 'gateway parked release', hoặc trả lại bằng 'gateway parked refuse'",
        "Mend the cause (upgrade, wider limits), then 'gateway parked release', or return it with 'gateway parked refuse'";
    ParkedNone = "Không có gói tin nào chờ người xử lý", "No packet waits for a person";
    ParkedPacket = "{case}: của {agency} qua {account}, đến {received}, {bytes} byte, vì {reason}",
        "of {agency} through {account}, came {received}, {bytes} bytes, because {reason} ({case})";
    PasswordShown = "  mật khẩu (chỉ hiện một lần): {password}", "password (shown this once): {password}";
    PasswordWritten = "  mật khẩu ghi trong {file}", "the password is in {file}";
    ProvisionKept = "{count} thành phần đã có trên broker", "{count} things stood at the broker already";
    ProvisionMade = "Đã tạo trên broker: {made}", "Made at the broker: {made}";
    ProvisionDiffers = "Có sẵn với tham số khác, cần người xử lý: {what}", "Stands with other arguments, a person must see to it: {what}";
    TrustAddress = "  {url}: lấy lúc {fetched}; {fault}", "{url}: fetched {fetched}; {fault}";
    TrustAnchor = "  gốc {subject}, hết hạn {until}", "anchor {subject}, ends {until}";
    TrustFault = "  không dùng được {fault}", "cannot be used: {fault}";
    TrustList = "  danh sách thu hồi {issuer}: số {number}, {entries} mục, đến {until}",
        "revocation list {issuer}: number {number}, {entries} entries, until {until}";
    TrustVersion = "Phiên bản {version}", "Version {version}";
    Warned = "Chú ý: {warning}", "Mind: {warning}";
}

impl Text {
    /// The text in both languages, with these values filled in.
    pub(super) fn with(self, values: &[(&str, &str)]) -> String {
        let [vi, en] = self.languages();
        let fill = |text: &str| {
            let put =
                |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{name}}}"), value);
            values.iter().fold(text.to_owned(), put)
        };
        let (vi, en) = (fill(vi), fill(en));
        if vi.trim() == en {
            vi
        } else {
            format!("{vi} / {en}")
        }
    }

    /// Says it on standard output.
    pub(super) fn say(self, values: &[(&str, &str)]) {
        print(&self.with(values));
    }
}

/// One line on standard output. A reader that hung up ends nothing.
pub(super) fn print(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// One line on standard error.
pub(super) fn complain(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
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
    fn both_languages_name_the_same_values() {
        for text in Text::ALL {
            let [vi, en] = text.languages();
            assert_eq!(names(vi), names(en), "{text:?}");
        }
    }

    #[test]
    fn vietnamese_comes_first() {
        let said = Text::AgencyAdded.with(&[("agency", "a17")]);
        assert_eq!(said, "Đã thêm a17 / Added a17");
    }
}
