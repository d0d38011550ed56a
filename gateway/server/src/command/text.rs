//! What commands say to people: Vietnamese first, English second, in one table.

/// Declares each text once, with its two languages; `{name}` is filled in when it is said. Each theme is a type of its own.
macro_rules! texts {
    ($(#[$about:meta])* $kind:ident; $($name:ident = $vi:literal, $en:literal;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::command) enum $kind { $(#[allow(missing_docs)] $name,)* }

        impl $kind {
            #[cfg(test)]
            pub(in crate::command) const ALL: &'static [$kind] = &[$($kind::$name,)*];

            pub(in crate::command) fn languages(self) -> [&'static str; 2] {
                match self { $($kind::$name => [$vi, $en],)* }
            }

            /// The text, without values yet.
            pub(in crate::command) fn said(self) -> $crate::command::text::Said {
                $crate::command::text::Said::of(self.languages())
            }
        }
    };
}

mod failure;
mod said;
mod verify;

pub(super) use failure::{AdviceText, FailureText, RemarkText, SubText};
pub(super) use said::Said;
pub(super) use verify::VerifyText;

texts! {
    /// A text of the table.
    Text;
    AccountNotProvisioned = "Chưa thiết lập được tài khoản {account} trên broker: {fault}; sửa xong thì chạy `gateway broker provision`",
        "Account {account} is not yet set up at the broker: {fault}; when that is mended, run `gateway broker provision`";
    AccountOpened = "Tài khoản {account} của {agency}", "Account {account} of {agency}";
    AccountProvisioned = "Đã thiết lập lại {count} tài khoản trên broker",
        "{count} accounts set up at the broker again";
    AccountsOpening = "Đang mở tài khoản", "Opening accounts";
    AddedExpired = "  hết hạn từ {until}: {subject}, SHA-256 {fingerprint}", "expired at {until}: {subject}, SHA-256 {fingerprint}";
    AddedFit = "  dùng được: {subject}, đến {until}, SHA-256 {fingerprint}", "fit: {subject}, until {until}, SHA-256 {fingerprint}";
    AddedKnown = "  đã có: {subject}, đến {until}, SHA-256 {fingerprint}", "known already: {subject}, until {until}, SHA-256 {fingerprint}";
    AddedNew = "  mới: {subject}, đến {until}, SHA-256 {fingerprint}", "new: {subject}, until {until}, SHA-256 {fingerprint}";
    AddedNoAuthority = "  không phải chứng thư của tổ chức cấp chứng thư: {subject}, đến {until}, SHA-256 {fingerprint}",
        "no certification authority's: {subject}, until {until}, SHA-256 {fingerprint}";
    AgencyAdded = "Đã thêm {agency}", "Added {agency}";
    AgencyEnds = "{agency} chấm dứt; hộp thư chuyển cho {heir}", "{agency} ends; its inbox goes to {heir}";
    AgencyInFlight = "  đang trên đường: đến {incoming}, đi {outgoing}, tạm giữ {held}",
        "under way: in {incoming}, out {outgoing}, held {held}";
    AgencyKeeps = "  mã {codes} dẫn tới cơ quan kế thừa; đóng tài khoản {accounts}; {certificates} chứng thư hết hiệu lực",
        "codes {codes} lead to the heir; accounts {accounts} close; {certificates} certificates end";
    AgencyRenamed = "Đổi tên: {from} → {to}", "Renamed: {from} → {to}";
    CaseStands = "Hồ sơ {case}: {state}", "Case {case}: {state}";
    CertificateIsAuthority = "Đây là chứng thư của tổ chức cấp chứng thư, không phải của người ký",
        "This is the certificate of an authority, not of a signer";
    Change = "{change}", "{change}";
    CheckAnchors = "Tin cậy: {anchors} gốc, {candidates} chứng thư trung gian, {lists} danh sách thu hồi",
        "Trust: {anchors} anchors, {candidates} issuing certificates, {lists} revocation lists";
    CheckBroker = "Broker: {uri}, vhost {vhost}, người dùng {user}", "Broker: {uri}, vhost {vhost}, user {user}";
    CheckBrokerReached = "Broker trả lời", "The broker answers";
    CheckDirectoryUnread = "Chú ý: chưa xem được danh mục cơ quan: {fault}",
        "Mind: the directory of agencies was not looked at: {fault}";
    CheckFolderOfAnother = "thư mục dữ liệu thuộc tài khoản khác; chạy lại bằng tài khoản của cổng",
        "the data folder is another user's; run it as the gateway's user";
    CheckGood = "Cấu hình hợp lệ", "The configuration is sound";
    CheckIdentity = "Cổng {code}, dữ liệu ở {data}", "Gateway {code}, data in {data}";
    CheckKey = "Khóa ký biên nhận: {subject}, hết hạn {until}", "Receipt key: {subject}, ends {until}";
    CheckKeyEnds = "Chú ý: chứng thư của khóa ký biên nhận chỉ còn {days} ngày; chuẩn bị chứng thư mới",
        "Mind: the certificate of the receipt key is valid for {days} more days only; prepare a new one";
    CheckListen = "Cổng nội bộ: {listen}", "Internal port: {listen}";
    CheckListenTaken = "Chú ý: {listen} đang được dùng; nếu không phải do chính cổng này đang chạy thì sửa [http] listen",
        "Mind: {listen} is in use; if not by this gateway itself, change [http] listen";
    CheckManagementReached = "Giao diện quản trị RabbitMQ trả lời", "The management interface answers";
    CheckNotLoopback = "Chú ý: cổng nội bộ mở ra ngoài máy này",
        "Mind: the internal port is open beyond this machine";
    CheckUnprovisioned = "Không có [broker.provision]: tài khoản phải tạo bằng tay",
        "No [broker.provision]: accounts must be made by hand";
    ClockAccepted = "Đã chấp nhận giờ hiện tại", "The time of day is accepted";
    ClockBehind = "Giờ máy sớm hơn sự kiện mới nhất trong nhật ký ({newest}), chưa ghi gì; chỉnh đồng hồ rồi làm lại, hoặc nếu giờ máy đúng thì chạy `gateway accept-clock` khi cổng đang chạy",
        "The time of day lies before the newest event of the journal ({newest}), nothing was recorded; set the clock and try again, or if it is right run `gateway accept-clock` while the gateway runs";
    ClockJumped = "Giờ máy vừa nhảy {seconds} giây, chưa ghi gì; chỉnh đồng hồ rồi làm lại, hoặc nếu giờ máy đúng thì chạy `gateway accept-clock`",
        "The time of day jumped by {seconds} s, nothing was recorded; set the clock and try again, or if it is right run `gateway accept-clock`";
    CodeMoves = "Mã {what}: {from} → {to}", "Code {what}: {from} → {to}";
    ConfigFaults = "Cấu hình có {count} lỗi:", "The configuration has {count} faults:";
    DryRun = "Chạy thử, chưa thay đổi gì:", "Dry run, nothing was changed:";
    Failed = "Không thực hiện được: {fault}.", "Not done: {fault}.";
    ImportColumns = "Bỏ qua các cột: {columns}", "Columns left out: {columns}";
    ImportPassedOver = "{count} cơ quan đã có tài khoản nên không mở thêm; không còn mật khẩu thì cấp lại bằng `gateway agency account renew`",
        "{count} agencies have an account already and get no other; where its password is lost, give a new one with `gateway agency account renew`";
    ImportRead = "Đọc {read} dòng: {same} dòng không có gì mới, {bad} lỗi",
        "{read} rows read: {same} say nothing new, {bad} faults";
    ImportRow = "  dòng {line}: {reason}", "line {line}: {reason}";
    KeyMade = "Đã tạo {key} và {certificate}", "Made {key} and {certificate}";
    LabelAccount = "tài khoản", "account";
    LabelCertificate = "chứng thư", "certificate";
    LabelCode = "mã", "code";
    LabelHeirs = "kế thừa", "heirs";
    LabelLevel = "cấp", "level";
    LabelName = "tên", "name";
    LabelParent = "cấp trên", "parent";
    LabelPlace = "địa bàn", "place";
    LabelStanding = "trạng thái", "standing";
    LabelSucceeds = "tiếp nhận", "succeeds";
    LabelWatcher = "theo dõi", "watcher";
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
    ProvisionDiffers = "Có sẵn với tham số khác, cần người xử lý: {what}",
        "Stands with other arguments, a person must see to it: {what}";
    RoleAnchor = "gốc", "anchor";
    RoleCandidate = "trung gian", "candidate";
    RoleLearned = "trung gian lấy từ nơi khác", "learned elsewhere";
    RoleStranger = "lạ, không dùng để tin", "stranger, vouches for nothing";
    Since = "từ", "since";
    StandingActive = "đang hoạt động", "active";
    StandingClosed = "đã chấm dứt", "closed";
    StandingSuspended = "tạm ngừng", "suspended";
    TrustAddress = "  {url}: lấy lúc {fetched}", "{url}: fetched {fetched}";
    TrustAddressFails = "  {url}: không lấy được từ {since} (lần cuối lấy được: {fetched}): {fault}",
        "{url}: nothing of use since {since} (last fetched: {fetched}): {fault}";
    TrustAddressRests = "    sẽ thử lại lúc {until}", "asked again at {until}";
    TrustAnchor = "  gốc {subject}, hết hạn {until}", "anchor {subject}, ends {until}";
    TrustCertificate = "  {role}: {subject}; số {serial}; từ {from} đến {until}; do {issuer} cấp; SHA-256 {fingerprint}",
        "{role}: {subject}; serial {serial}; from {from} until {until}; issued by {issuer}; SHA-256 {fingerprint}";
    TrustDoAddress = "    → xem lỗi của địa chỉ ở dưới; trong khi chờ, tải danh sách bằng cách khác rồi chạy: gateway trust import-crl TỆP",
        "see what is wrong with the address below; meanwhile get the list otherwise and run: gateway trust import-crl FILE";
    TrustDoAllow = "    → nếu máy chủ này đúng là của tổ chức cấp chứng thư, thêm vào [trust] allowed_private_hosts rồi khởi động lại; nếu không thì bỏ qua",
        "if this host is the authority's, add it to [trust] allowed_private_hosts and restart; if not, leave it";
    TrustDoAskIssuer = "    → địa chỉ trả lời nhưng tổ chức cấp chứng thư chưa phát hành danh sách mới: báo cho họ",
        "the address answers, but the authority has not issued a new list: tell them";
    TrustDoBring = "    → tải danh sách mới từ tổ chức cấp chứng thư rồi chạy: gateway trust import-crl TỆP; hoặc khai địa chỉ ở [trust] crl_urls",
        "get the new list from the authority and run: gateway trust import-crl FILE; or name its address in [trust] crl_urls";
    TrustDoCorrect = "    → mở địa chỉ này bằng trình duyệt: nếu không ra danh sách hay chứng thư, báo cho tổ chức cấp chứng thư; nếu quá lớn, tăng [trust] crl_bytes_max",
        "open the address in a browser: if it gives no list or certificate, tell the authority; if it is too large, raise [trust] crl_bytes_max";
    TrustDoIssuer = "    → lấy chứng thư của tổ chức phát hành danh sách này rồi chạy: gateway trust add TỆP",
        "get the certificate of the list's issuer and run: gateway trust add FILE";
    TrustDoLog = "    → lỗi ở cổng này: kiểm tra ổ đĩa của data_dir và nhật ký của gateway",
        "a fault of this gateway: check the disk of data_dir and the gateway's log";
    TrustDoOutdated = "    → địa chỉ đưa ra danh sách cũ hơn danh sách đang dùng, hoặc có ngày trong tương lai: kiểm tra giờ của máy này, rồi báo cho tổ chức cấp chứng thư",
        "the address gives a list that is older than the one in use, or from the future: check this machine's time, then tell the authority";
    TrustDoReach = "    → từ máy này kiểm tra mạng, DNS và tường lửa tới địa chỉ trên, ví dụ: curl -sSI {url}",
        "from this machine check network, DNS and firewall to the address above, such as: curl -sSI {url}";
    TrustFault = "  không dùng được {fault}", "cannot be used: {fault}";
    TrustList = "  danh sách thu hồi {issuer}: số {number}, {entries} mục, lập {made}, đến {until}, nguồn {from}",
        "revocation list {issuer}: number {number}, {entries} entries, made {made}, until {until}, from {from}";
    TrustListAbsent = "  danh sách thu hồi {issuer}: CHƯA CÓ, nguồn {from}: văn bản cần đến danh sách này bị tạm giữ cho tới khi có",
        "revocation list {issuer}: NEVER OBTAINED, from {from}: what depends on it is held until it is there";
    TrustListEnded = "    không còn chứng thư nào cần đến: tổ chức phát hành đã hết hạn hoặc không còn gốc; không phải làm gì",
        "no certificate depends on it any more: its issuer has expired or has no anchor; nothing is to be done";
    TrustListOverdue = "    QUÁ HẠN từ {until}: văn bản ký bằng chứng thư của {issuer} bị tạm giữ cho tới khi có danh sách mới",
        "OVERDUE since {until}: documents signed with certificates of {issuer} are held until there is a new one";
    TrustAnswers = "{count} câu trả lời OCSP", "{count} OCSP answers";
    TrustVersion = "Phiên bản {version}", "Version {version}";
    Until = "đến", "until";
    Warned = "Chú ý: {warning}", "Mind: {warning}";

    // Why something was not done, and what to do about it.
    AccountNotOpen = "Tài khoản {account} không mở ở cơ quan {agency}; xem `gateway agency show {agency}`",
        "Account {account} is not open at {agency}; see `gateway agency show {agency}`";
    AccountTaken = "Tài khoản {account} là của cơ quan {owner}; hãy dùng tài khoản khác",
        "Account {account} belongs to {owner}; use another one";
    AccountUnknown = "Không có tài khoản nào đang mở tên {account}; xem tài khoản bằng `gateway agency show CƠ-QUAN`",
        "No account {account} is open; `gateway agency show AGENCY` lists accounts";
    AddressUnfit = "Tệp {path} không chứa địa chỉ; nếu không có cổng nào đang chạy thì xóa tệp này rồi làm lại",
        "{path} holds no address; if no gateway runs, remove the file and try again";
    AgencyActive = "Cơ quan {agency} đang tham gia liên thông, không cần mở lại",
        "{agency} takes part already; there is nothing to resume";
    AgencyEnded = "Cơ quan {agency} đã chấm dứt, không sửa đổi được nữa; hãy dùng cơ quan kế thừa (`gateway agency show {agency}`)",
        "{agency} has ended and cannot be changed any more; use its heir (`gateway agency show {agency}`)";
    AgencyKnown = "Cơ quan {agency} đã có trong danh mục; hãy làm lại lệnh",
        "{agency} is in the directory already; give the command again";
    AgencyNotNext = "Cơ quan mới phải có số hiệu {next}, không phải {agency}; hãy làm lại lệnh",
        "A new agency must be {next}, not {agency}; give the command again";
    AgencySuspended = "Cơ quan {agency} đang tạm ngừng rồi; muốn cho tham gia lại thì dùng `gateway agency resume {agency}`",
        "{agency} is suspended already; `gateway agency resume {agency}` lets it take part again";
    AgencyTwice = "Cơ quan {agency} được nêu hai lần; mỗi cơ quan chỉ nêu một lần",
        "{agency} is named twice; name each agency once";
    AgencyUnknown = "Không có cơ quan nào có số hiệu hoặc mã {agency}; tìm bằng `gateway agency list --all`",
        "No agency has the id or code {agency}; look it up with `gateway agency list --all`";
    AnswerUnfit = "Không hiểu trả lời của giao diện quản trị RabbitMQ ở {path}; kiểm tra management_uri và phiên bản RabbitMQ",
        "The answer of the management interface at {path} is not understood; check management_uri and the version of RabbitMQ";
    AnchorAnother = "Dấu vân tay của chứng thư trong tệp là {found}, không phải {given}; hỏi lại tổ chức cấp chứng thư bằng đường khác",
        "The certificate in the file has the fingerprint {found}, not {given}; ask the authority again by another way";
    AnchorIssued = "{subject} không tự ký chứng thư của mình nên không thể là gốc; bỏ --anchor để nhận làm trung gian",
        "{subject} did not sign its own certificate and cannot be an anchor; leave out --anchor to take it as a candidate";
    AnchorUnpinned = "Cấu hình không ghim gốc {fingerprint}; thêm vào [trust] anchor_fingerprints, khởi động lại cổng rồi làm lại",
        "The configuration does not pin the anchor {fingerprint}; add it to [trust] anchor_fingerprints, restart the gateway and try again";
    AnchorsSeveral = "Tệp có {count} chứng thư; mỗi lần chỉ nhận một gốc: tách riêng ra một tệp",
        "The file holds {count} certificates; an anchor comes alone, put it into a file of its own";
    AuthoritiesNone = "{path} không chứa chứng thư PEM nào; [broker] ca_file phải là chứng thư (PEM) của tổ chức cấp chứng thư cho broker",
        "{path} holds no PEM certificate; [broker] ca_file must hold those of the authorities that certify the broker";
    AuthoritiesUnfit = "Không dùng được chứng thư thứ {number} trong {path}; thay hoặc bỏ nó khỏi [broker] ca_file",
        "Certificate {number} in {path} cannot be used; replace it in [broker] ca_file, or take it out";
    BrokerAddress = "Địa chỉ broker không phải amqp:// hay amqps://; sửa [broker] uri",
        "The broker's address is not amqp:// or amqps://; correct [broker] uri";
    BrokerAway = "Không kết nối được broker: {fault}; kiểm tra RabbitMQ có chạy, [broker] uri, tài khoản và mật khẩu",
        "The broker cannot be reached: {fault}; check that RabbitMQ runs, and [broker] uri, user and password";
    BrokerClient = "Không khởi tạo được kết nối HTTP tới broker: {fault}; kiểm tra [broker.provision] management_uri",
        "No HTTP client for the broker: {fault}; check [broker.provision] management_uri";
    BrokerCredential = "Giao diện quản trị RabbitMQ từ chối tài khoản của [broker.provision] ở {path}; kiểm tra user, password và quyền administrator",
        "The management interface refuses the credential of [broker.provision] at {path}; check user, password and the tag administrator";
    BrokerForeign = "Vhost {vhost} đang giữ văn bản của cổng khác, hoặc của dữ liệu đã mất của cổng này (epoch {epoch}); đưa lại đúng data_dir, hoặc nếu bỏ các văn bản ấy thì xóa vhost (`rabbitmqctl delete_vhost {vhost}`)",
        "Virtual host {vhost} holds documents of another gateway, or of this one's lost data (epoch {epoch}); put back the right data_dir, or where those documents are given up delete the virtual host (`rabbitmqctl delete_vhost {vhost}`)";
    BrokerStatus = "Giao diện quản trị RabbitMQ trả lời {status} cho {path}: {fault}; xem nhật ký của RabbitMQ rồi làm lại",
        "The management interface answered {status} to {path}: {fault}; look into the log of RabbitMQ and try again";
    BrokerUnasked = "Không hỏi được giao diện quản trị RabbitMQ: {fault}; kiểm tra RabbitMQ có chạy và [broker.provision] management_uri",
        "The management interface cannot be asked: {fault}; check that RabbitMQ runs, and [broker.provision] management_uri";
    CandidatesUnset = "Cấu hình chưa có thư mục cho chứng thư trung gian; khai [trust] candidates_dir rồi khởi động lại cổng",
        "The configuration names no folder of candidates; set [trust] candidates_dir and restart the gateway";
    CaseNotParked = "Hồ sơ {case} không (hoặc không còn) chờ người xử lý; xem `gateway parked list`",
        "Case {case} does not, or no longer, wait for a person; see `gateway parked list`";
    CaseStillParked = "Vẫn chưa xét được hồ sơ {case}, hồ sơ còn chờ người xử lý; sửa nguyên nhân (xem nhật ký) rồi làm lại, hoặc trả lại bằng `gateway parked refuse {case}`",
        "Case {case} could not be judged and still waits for a person; mend the cause (see the log) and try again, or return it with `gateway parked refuse {case}`";
    CaseUnfit = "{text} không phải mã hồ sơ; chép nguyên mã từ biên nhận hoặc nhật ký",
        "{text} is no case id; copy it whole from a receipt or the log";
    CaseUnknown = "Không có hồ sơ {case}; chép nguyên mã từ biên nhận hoặc nhật ký",
        "There is no case {case}; copy the id whole from a receipt or the log";
    CertificateNotMade = "Không tạo được chứng thư: {fault}; kiểm tra mã ghi ở --code",
        "The certificate could not be made: {fault}; check --code";
    CertificateNotPinned = "Chứng thư này không được ghi nhận cho cơ quan {agency}; xem `gateway agency show {agency}`",
        "The certificate is not registered for {agency}; see `gateway agency show {agency}`";
    CertificatePinned = "Chứng thư này đã được ghi nhận cho cơ quan {agency}, không cần làm lại",
        "The certificate is registered for {agency} already; there is nothing to do";
    CertificatesMany = "Tệp có hơn {most} chứng thư; chia thành nhiều tệp",
        "The file holds more than {most} certificates; split it";
    CertificatesNotKept = "Không ghi được chứng thư: {fault}; kiểm tra ổ đĩa và quyền ghi rồi làm lại",
        "The certificates could not be kept: {fault}; check disk and permissions and try again";
    CertificatesRefused = "Có chứng thư không dùng được nên không nhận gì từ tệp này; bỏ chứng thư ấy khỏi tệp rồi làm lại",
        "A certificate in the file is refused, so nothing of it was taken; take that one out and try again";
    CertificatesUnread = "Không đọc được chứng thư trong tệp: {fault}; cần tệp PEM hoặc DER",
        "No certificates can be read from the file: {fault}; give PEM or DER";
    CertificateUnfit = "{path} không phải chứng thư X.509: {fault}; cần tệp PEM hoặc DER của người ký",
        "{path} is no X.509 certificate: {fault}; give the signer's, in PEM or DER";
    Circle = "Đặt {to} làm {relation} của {agency} sẽ thành vòng; sửa quan hệ của {to} trước",
        "{to} as {relation} of {agency} would make a circle; change the relations of {to} first";
    CodeNotHeld = "Mã {code} không phải của cơ quan {agency}; xem `gateway agency show {agency}`",
        "Code {code} is not held by {agency}; see `gateway agency show {agency}`";
    CodeOfGateway = "Mã {code} là mã của chính cổng này ([gateway] code) nên không thể là mã của cơ quan; nếu đúng là của cơ quan thì đổi [gateway] code thành mã riêng (ví dụ H53.LT), khởi động lại cổng rồi làm lại",
        "{code} is the gateway's own code ([gateway] code) and cannot be an agency's; if it is an agency's, give the gateway one of its own in [gateway] code (such as H53.LT), restart it and try again";
    CodeTaken = "Mã {code} đang là của cơ quan {owner}; muốn chuyển thì kết thúc ở đó trước: `gateway agency recode {owner} --end {code}`",
        "Code {code} belongs to {owner}; to move it, end it there first: `gateway agency recode {owner} --end {code}`";
    ColumnMissing = "Dòng đầu của tệp thiếu cột {column}; phải có ít nhất hai cột code và name",
        "The first line of the file lacks column {column}; columns code and name must be there";
    ColumnRepeated = "Dòng đầu của tệp có hai cột {column}; bỏ bớt một cột",
        "The first line of the file has column {column} twice; remove one";
    AccountsUnread = "Không mở được thư mục accounts trong thư mục dữ liệu: {fault}",
        "The folder accounts in the data folder cannot be opened: {fault}";
    ConfigContradiction = "{place}: {fault}; sửa một trong hai giá trị", "{place}: {fault}; change one of the two";
    ConfigEmpty = "{place}: để trống; ghi giá trị vào, xem mẫu ops/gateway.toml",
        "{place}: must not be empty; write a value, see the example ops/gateway.toml";
    ConfigKind = "{place}: phải là {wanted}, đang là {found}; sửa theo mẫu ops/gateway.toml",
        "{place}: must be {wanted}, is {found}; see the example ops/gateway.toml";
    ConfigMissing = "{place}: thiếu, phải khai báo; xem mẫu ops/gateway.toml",
        "{place}: is missing and must be there; see the example ops/gateway.toml";
    ConfigNear = "{place}: không có khóa này, có phải là {near}?",
        "{place}: is not a known key; did you mean {near}?";
    ConfigNoFile = "{place}: không có tệp {path}; tạo tệp hoặc sửa đường dẫn",
        "{place}: there is no file {path}; make it or correct the path";
    ConfigNoFolder = "{place}: không có thư mục {path}; tạo thư mục hoặc sửa đường dẫn",
        "{place}: there is no folder {path}; make it or correct the path";
    ConfigNotAPlace = "{place}: bí mật phải được chỉ nơi để, bằng file = hoặc env =, không ghi thẳng",
        "{place}: a secret is named by its place, with file = or env =, and never written here";
    ConfigSecretEmpty = "{place}: nơi để bí mật rỗng; ghi bí mật vào đó",
        "{place}: the place of the secret is empty; write the secret there";
    ConfigSecretUnread = "{place}: không đọc được tệp bí mật {path}: {fault}",
        "{place}: the secret file {path} cannot be read: {fault}";
    ConfigSecretVariable = "{place}: không có biến môi trường {name}; đặt biến này cho tiến trình của cổng",
        "{place}: the environment has no {name}; set it for the gateway's process";
    ConfigSyntax = "{place}: không đúng cú pháp TOML, sửa chỗ được chỉ ra:\n{fault}",
        "{place}: not TOML, correct the place shown:\n{fault}";
    ConfigUnknown = "{place}: không có khóa này; bỏ đi hoặc xem mẫu ops/gateway.toml",
        "{place}: is not a known key; remove it or see the example ops/gateway.toml";
    ConfigUnread = "Không đọc được tệp cấu hình {place}: {fault}; chỉ tệp khác bằng --config TỆP",
        "The configuration file {place} cannot be read: {fault}; name another one with --config FILE";
    ConfigValue = "{place}: phải là {wanted}, đang là {found}; sửa giá trị",
        "{place}: must be {wanted}, is {found}; correct the value";
    Conflict = "Danh mục vừa bị thay đổi bởi lệnh khác; xem lại rồi làm lại",
        "The directory changed meanwhile; look at it and try again";
    CrashNotes = "Không mở được thư mục crashes trong thư mục dữ liệu: {fault}",
        "The folder crashes in the data folder cannot be opened: {fault}";
    Damaged = "Dữ liệu hỏng: {path} tại vị trí {offset} ({fault}); đừng xóa gì, khôi phục bản sao lưu hoặc hỏi người phụ trách",
        "Damaged: {path} at offset {offset} ({fault}); remove nothing, restore a backup or ask whoever is in charge";
    DiskFull = "Ổ đĩa của {path} chỉ còn {free} byte, cần chừa {wanted}; giải phóng chỗ hoặc giảm [store] free_bytes_min",
        "Only {free} bytes are free in {path}, {wanted} are kept free; make space or lower [store] free_bytes_min";
    Earlier = "Thay đổi lúc {at} sớm hơn thay đổi mới nhất lúc {latest}; chỉnh đồng hồ máy rồi làm lại",
        "A change at {at} is earlier than the newest at {latest}; set the clock and try again";
    FewAgencies = "Sáp nhập cần ít nhất một cơ quan chấm dứt, chia cần ít nhất hai cơ quan kế thừa; nêu đủ",
        "A merger needs one agency that ends, a split two that follow; name them all";
    FileEmpty = "Tệp không có gì; tệp CSV phải có dòng đầu là tên cột",
        "The file is empty; a CSV file begins with the names of its columns";
    FileNotUtf8 = "Dòng đầu của tệp không phải UTF-8; lưu lại tệp dưới dạng \"CSV UTF-8\"",
        "The first line of the file is not UTF-8; save it as \"CSV UTF-8\"";
    FileUtf16 = "Tệp ở dạng UTF-16 (\"Unicode Text\"); lưu lại dưới dạng \"CSV UTF-8\"",
        "The file is UTF-16 (\"Unicode Text\"); save it as \"CSV UTF-8\"";
    FileUnfit = "Không đọc hoặc ghi được {path}: {fault}", "{path} cannot be read or written: {fault}";
    FingerprintUnfit = "{text} không phải dấu vân tay SHA-256; cần 64 chữ số thập lục phân",
        "{text} is no SHA-256 fingerprint; give 64 hexadecimal digits";
    FormatNewer = "{path} do bản mới hơn ghi (định dạng {found}, bản này biết đến {known}); hãy chạy bản mới của cổng",
        "{path} was written in format {found}, this gateway knows up to {known}; run the newer gateway";
    Foreign = "{detail}", "{detail}";
    GatewayAnswered = "Cổng đang chạy trả lời {status}; xem nhật ký của cổng rồi làm lại",
        "The running gateway answered {status}; look into its log and try again";
    GatewayBusy = "Thư mục dữ liệu {path} đang do {holder} giữ, và cổng không trả lời ở cổng nội bộ: nó đang khởi động, đang dừng hoặc bị treo; đợi rồi làm lại, hoặc dừng tiến trình đó",
        "The data folder {path} is held by {holder}, and no gateway answers on the internal port: it is starting, ending or stuck; wait and try again, or stop that process";
    GatewayCodeTaken = "Mã {code} của cổng đang là mã của cơ quan {agency}, nên thông báo của cổng sẽ đứng tên cơ quan ấy; đổi [gateway] code thành mã riêng, hoặc kết thúc mã ở cơ quan: `gateway agency recode {agency} --end {code}`",
        "The gateway's code {code} is that of {agency}: what the gateway says would be said in its name; give the gateway a code of its own in [gateway] code, or end it there: `gateway agency recode {agency} --end {code}`";
    GatewayNone = "Không có cổng nào đang chạy với thư mục dữ liệu này; khởi động bằng `gateway run`",
        "No gateway runs on this data folder; start one with `gateway run`";
    GatewayUnasked = "Không hỏi được cổng đang chạy: {fault}; xem nhật ký của cổng, kiểm tra việc đã xong chưa trước khi làm lại",
        "The running gateway could not be asked: {fault}; look into its log, and whether it was done, before trying again";
    HeirSuspended = "{agency} đang tạm ngừng; cho tham gia lại để nhận văn bản",
        "{agency} is suspended; resume it so that it receives";
    HeirWithoutAccount = "{agency} chưa có tài khoản, văn bản gửi tới sẽ chờ; mở bằng `gateway agency account open`",
        "{agency} has no account yet: what is for it waits; open one with `gateway agency account open`";
    HeirWithoutCertificate = "{agency} chưa có chứng thư nên chưa ký được; ghi nhận bằng `gateway agency pin`",
        "{agency} has no certificate yet and cannot seal; register one with `gateway agency pin`";
    HolderProcess = "tiến trình {pid} ({name})", "process {pid} ({name})";
    HolderUnknown = "một tiến trình khác", "another process";
    IdUnfit = "{text} không phải {kind}; kiểm tra lại cách viết", "{text} is not {kind}; check how it is written";
    IndexFails = "Chỉ mục hỏng hoặc không ghi được: {fault}; dừng cổng, xóa thư mục index trong thư mục dữ liệu rồi chạy lại để dựng lại từ nhật ký",
        "The index fails: {fault}; stop the gateway, remove the folder index in the data folder and start again: it is made anew from the journal";
    KeyEarly = "Chứng thư của khóa ký biên nhận ({subject}, tệp {path}) chỉ có hiệu lực từ {begins}; kiểm tra giờ của máy này, hoặc dùng chứng thư đang có hiệu lực",
        "The certificate of the receipt key ({subject}, in {path}) is valid only from {begins} on; check this machine's time, or use a certificate that is valid";
    KeyEnded = "Chứng thư của khóa ký biên nhận ({subject}, tệp {path}) đã hết hạn từ {ended}, không ai kiểm được biên nhận ký bằng nó; xin chứng thư mới hoặc tạo khóa mới bằng `gateway key new --out-dir THƯ-MỤC-MỚI`, khai ở [gateway], rồi gửi chứng thư mới cho các cơ quan",
        "The certificate of the receipt key ({subject}, in {path}) ended at {ended}: nobody can verify receipts under it; obtain a new one, or make a new key with `gateway key new --out-dir NEW-FOLDER`, name it in [gateway], and give the new certificate to the agencies";
    KeyInPkcs12 = "Không lấy được khóa từ {path}: {fault}", "No key can be had from {path}: {fault}";
    KeyInToken = "Không ký được bằng khóa {key} trong thiết bị {token}: {fault}; kiểm tra [gateway.token], thiết bị và mã PIN",
        "The key {key} in the token {token} does not sign: {fault}; look at [gateway.token], the token and its PIN";
    KeyMismatch = "Chứng thư {certificate} không khớp khóa {key}; sửa [gateway] certificate_file hoặc key_file",
        "The certificate {certificate} does not belong to the key {key}; correct [gateway] certificate_file or key_file";
    KeyNoCertificate = "{path} không chứa chứng thư PEM; tạo bằng `gateway key new`",
        "{path} holds no PEM certificate; make one with `gateway key new`";
    KeyUnfit = "{path} không chứa khóa riêng dùng được: {fault}; tạo bằng `gateway key new`",
        "{path} holds no usable private key: {fault}; make one with `gateway key new`";
    ListNotKept = "Không lưu được danh sách thu hồi: {fault}; kiểm tra ổ đĩa và quyền ghi rồi làm lại",
        "The revocation list could not be kept: {fault}; check disk and permissions and try again";
    ListRefused = "Không nhận danh sách thu hồi: {fault}; lấy bản mới nhất từ tổ chức cấp chứng thư",
        "The revocation list was not taken: {fault}; get the newest from the authority";
    ListenUnfit = "Không mở được cổng nội bộ {address}: {fault}; dừng chương trình đang dùng hoặc sửa [http] listen",
        "The internal port {address} cannot be opened: {fault}; end the program that uses it or change [http] listen";
    Locked = "Thư mục dữ liệu {path} đang do {holder} giữ (khóa {path}/lock); mỗi thư mục chỉ một cổng: dừng tiến trình đó, hoặc dùng [gateway] data_dir khác",
        "The data folder {path} is held by {holder} (lock {path}/lock); one gateway a folder: stop that process, or use another [gateway] data_dir";
    LogTwice = "Tiến trình này đã ghi nhật ký rồi; hãy khởi động lại", "This process logs already; start it again";
    NobodyInherits = "{incoming} văn bản đang trên đường tới {agency} sẽ không giao được vì không có cơ quan kế thừa; thêm --successor nếu cần",
        "{incoming} dispatches under way to {agency} will fail: nobody comes after it; add --successor if they matter";
    NoAnchor = "Không có chứng thư nào trong {path} nên không tin được chữ ký nào; đặt chứng thư gốc vào [trust] anchors_dir",
        "No certificate in {path}: without an anchor nothing can be trusted; put the anchors into [trust] anchors_dir";
    NoAnchorPinned = "Không chứng thư nào trong {path} là gốc tin cậy: {fault}",
        "No certificate in {path} is an anchor: {fault}";
    NotProvisioning = "Cấu hình không có [broker.provision]; tạo tài khoản trên broker bằng tay",
        "The configuration has no [broker.provision]; make the account at the broker by hand";
    PasswordsLost = "Đã thực hiện, nhưng không ghi được mật khẩu vào {path}: {fault}; cấp lại bằng `gateway agency account renew` cho {accounts}",
        "It was done, and the passwords could not be written to {path}: {fault}; give new ones with `gateway agency account renew` to {accounts}";
    Pkcs12Algorithm = "tệp dùng thuật toán {algorithm} mà cổng không đọc; ghi lại bằng: {convert}",
        "it uses the algorithm {algorithm}, which is not read; write it anew: {convert}";
    Pkcs12CertificateUnfit = "có chứng thư không đọc được trong tệp; xuất lại tệp",
        "a certificate in it cannot be read; export it again";
    Pkcs12Iterations = "tệp đòi quá nhiều vòng dẫn xuất khóa nên không được mở; ghi lại bằng: {convert}",
        "it asks for too many iterations of key derivation and is not opened; write it anew: {convert}";
    Pkcs12KeyUnfit = "khóa không phải P-256 hay RSA từ 2048 bit; dùng khóa khác",
        "its key is neither P-256 nor RSA of 2048 bits or more; use another key";
    Pkcs12Large = "tệp quá lớn hoặc chứa quá nhiều; xuất lại chỉ gồm khóa của cổng và chứng thư của nó",
        "it is too large or holds too much; export the gateway's key and its certificates alone";
    Pkcs12Malformed = "không phải tệp PKCS#12 dạng DER; nếu openssl đọc được thì ghi lại bằng: {convert}",
        "it is not PKCS#12 in DER; if openssl can read it, write it anew: {convert}";
    Pkcs12Mismatch = "không chứng thư nào trong tệp là của khóa; xuất lại khóa cùng chứng thư của nó",
        "no certificate in it belongs to its key; export the key with its own certificate";
    Pkcs12NoCertificate = "tệp có khóa nhưng không có chứng thư; xuất lại khóa cùng chứng thư của nó",
        "it holds a key and no certificate; export the key with its own certificate";
    Pkcs12NoKey = "tệp không có khóa riêng; xuất lại cả khóa riêng", "it holds no private key; export the key too";
    Pkcs12Password = "sai mật khẩu, hoặc tệp hỏng; kiểm tra [gateway.pkcs12] password",
        "the password is wrong, or the file damaged; look at [gateway.pkcs12] password";
    Pkcs12SeveralKeys = "tệp có nhiều khóa riêng; xuất lại chỉ khóa của cổng",
        "it holds several private keys; export the gateway's alone";
    Pkcs12Unproven = "tệp không có MAC nên không chứng minh được gì; ghi lại bằng: {convert}",
        "it has no MAC and proves nothing; write it anew: {convert}";
    ProvisionFailed = "{fault}; khắc phục rồi chạy `gateway broker provision`",
        "{fault}; mend it and run `gateway broker provision`";
    RequestUnfit = "Cổng không hiểu yêu cầu: {fault}; kiểm tra lệnh và cổng cùng một phiên bản, tệp không quá [http] body_bytes_max",
        "The request is not understood: {fault}; check that command and gateway are of one version, and the file within [http] body_bytes_max";
    RowCodeForm = "{column} {code} không theo QCVN 102 hay QĐ 20/2020; nếu đúng thì thêm riêng bằng `gateway agency add`",
        "{column} {code} has neither the form of QCVN 102 nor of QĐ 20/2020; if it is right, add it by `gateway agency add`";
    RowCodeUnfit = "cột {column}: {text} không phải mã; sửa lại", "column {column}: {text} is no code; correct it";
    RowContradicts = "khác với dòng {line} về cùng một mã, dòng ấy được giữ; bỏ một dòng",
        "line {line} says something else about the same code and is kept; remove one of them";
    RowEnded = "mã là của cơ quan {agency} đã chấm dứt; nếu cấp lại mã thì thêm riêng bằng `gateway agency add`",
        "the code belongs to {agency}, which has ended; if it was given anew, add it by `gateway agency add`";
    RowFieldEmpty = "cột {column} trống; điền vào", "column {column} is empty; fill it in";
    RowFields = "có {found} ô thay vì {expected}; đặt tên có dấu phẩy trong ngoặc kép",
        "{found} fields instead of {expected}; put names with a comma into quotation marks";
    RowNotUtf8 = "không phải UTF-8; gõ lại dòng này hoặc lưu tệp dưới dạng \"CSV UTF-8\"",
        "not UTF-8; type the line again or save the file as \"CSV UTF-8\"";
    RowQuoteOpen = "dấu ngoặc kép không đóng trong dòng; thêm hoặc bỏ dấu",
        "a quotation mark is not closed on the line; close or remove it";
    RowRelatedUnknown = "{relation} {code} không có trong danh mục; cơ quan vẫn được nhận, đặt sau bằng `gateway agency relate`",
        "{relation} {code} is unknown; the agency is kept without it, set it later by `gateway agency relate`";
    RowTwoAgencies = "hai mã là của hai cơ quan {one} và {other}; sửa code hoặc code_qd20",
        "the codes belong to two agencies, {one} and {other}; correct code or code_qd20";
    StageEnded = "Khâu {stage} tự dừng, đây là lỗi của chương trình; khởi động lại và gửi nhật ký cho nhóm phát triển",
        "The stage {stage} ended by itself, which is a bug; start again and send the log to the makers";
    StoreDamaged = "Kho dữ liệu hỏng: {fault}; đừng xóa gì, khôi phục bản sao lưu hoặc hỏi người phụ trách",
        "The store is damaged: {fault}; remove nothing, restore a backup or ask whoever is in charge";
    StoreNotNow = "Kho dữ liệu tạm thời không nhận: {fault}; kiểm tra dung lượng ổ đĩa rồi làm lại",
        "The store cannot take it now: {fault}; check the space on the disk and try again";
    StoreStopped = "Kho dữ liệu đã dừng ghi: {fault}; kiểm tra ổ đĩa rồi khởi động lại cổng",
        "The store has stopped: {fault}; check the disk and start the gateway again";
    StoreSystem = "Hệ thống không cho {operation} {path}: {fault}",
        "The system refused to {operation} {path}: {fault}";
    SuccessorOfItself = "Cơ quan {agency} không thể kế thừa chính mình; nêu cơ quan khác",
        "{agency} cannot succeed itself; name another agency";
    SystemAbsent = "không có tệp hoặc thư mục này; kiểm tra đường dẫn",
        "there is no such file or folder; check the path";
    SystemDenied = "không đủ quyền; chạy bằng tài khoản của cổng hoặc sửa quyền",
        "permission denied; run it as the gateway's user or mend the permissions";
    SystemFolder = "đây là thư mục, cần tệp", "it is a folder and should be a file";
    SystemInUse = "địa chỉ đang được dùng", "the address is in use";
    SystemNoFolder = "một phần của đường dẫn là tệp chứ không phải thư mục; sửa đường dẫn",
        "a part of the path is a file and no folder; correct the path";
    SystemNotUtf8 = "không phải văn bản UTF-8; lưu lại tệp", "it is not UTF-8 text; save it anew";
    SystemOther = "{detail}; xem nhật ký hệ thống", "{detail}; look into the system's log";
    SystemReadOnly = "ổ đĩa chỉ cho đọc; gắn lại để ghi được", "the disk is read-only; mount it for writing";
    SystemSpace = "hết dung lượng ổ đĩa; giải phóng chỗ", "no space is left on the disk; make some";
    SystemThere = "tệp đã có và không bị ghi đè; chọn tên khác hoặc dời tệp cũ",
        "the file is there and is not overwritten; choose another name or move it away";
    TermAccountId = "số hiệu tài khoản", "an account id";
    TermAddress = "địa chỉ kèm số cổng, ví dụ 127.0.0.1:9710", "an address with port, such as 127.0.0.1:9710";
    TermAgencyCode = "mã cơ quan", "an agency code";
    TermAgencyId = "số hiệu cơ quan (a17)", "an agency id (a17)";
    TermAmqp = "amqp:// hoặc amqps:// với máy chủ và số cổng, không kèm người dùng, mật khẩu, đường dẫn",
        "amqp:// or amqps:// with host and port, without user, password and path";
    TermHttp = "địa chỉ http:// hoặc https://", "an http:// or https:// address";
    TermHttpBare = "http:// hoặc https://, không kèm người dùng và mật khẩu",
        "http:// or https:// without user and password";
    TermNumber = "số nguyên", "a whole number";
    TermSection = "một mục", "a section";
    TermWords = "chuỗi ký tự", "a text";
    TermWordList = "danh sách chuỗi ký tự", "a list of texts";
    NameUnfit = "Tên hoặc cấp của {agency} trống, quá 512 byte hoặc có ký tự điều khiển; sửa lại",
        "The name or level of {agency} is empty, over 512 bytes or holds control characters; correct it";
    ThreadUnfit = "Không tạo được luồng xử lý: {fault}; tăng giới hạn tiến trình của hệ thống",
        "A thread cannot be started: {fault}; raise the system's limit of processes";
    TokenWrong = "Mã thẩm quyền không đúng; cổng vừa khởi động lại thì làm lại, nếu không thì kiểm tra quyền đọc administration.token",
        "The token is not the gateway's; if it was just restarted try again, else check who may read administration.token";
    Unchanged = "Không có gì thay đổi đối với cơ quan {agency}, đã đúng như yêu cầu",
        "Nothing would change for {agency}; it is so already";
    WordUnfit = "{text} không thuộc các giá trị {wanted}; dùng một trong số đó",
        "{text} is not one of {wanted}; use one of these";
}

impl Text {
    /// The text in both languages, with these values filled in.
    pub(super) fn with(self, values: &[(&'static str, &str)]) -> String {
        let fill = |said: Said, (name, value): &(&'static str, &str)| said.with(name, value);
        values.iter().fold(self.said(), fill).to_string()
    }

    /// Says it on standard output.
    pub(super) fn say(self, values: &[(&'static str, &str)]) {
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
mod tests;
