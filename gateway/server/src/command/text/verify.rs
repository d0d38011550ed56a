//! The lines of `gateway verify`.

texts! {
    /// What is said of files, signatures and the material that settled them.
    VerifyText;
    Passed = "ĐẠT (TOTAL-PASSED)", "PASSED (TOTAL-PASSED)";
    Failed = "KHÔNG ĐẠT (TOTAL-FAILED)", "FAILED (TOTAL-FAILED)";
    Indeterminate = "CHƯA CHỨNG MINH ĐƯỢC (INDETERMINATE)", "NOT PROVEN (INDETERMINATE)";
    Unsigned = "KHÔNG ĐẠT: không có chữ ký nên không chứng minh được gì", "NOT PASSED: no signature, so that nothing is proven";
    Unreadable = "KHÔNG ĐẠT: không đọc được", "NOT PASSED: it could not be read";
    FailedBy = "KHÔNG ĐẠT (TOTAL-FAILED / {name}): {words}", "FAILED (TOTAL-FAILED / {name}): {words}";
    IndeterminateBy = "CHƯA CHỨNG MINH ĐƯỢC (INDETERMINATE / {name}): {words}", "NOT PROVEN (INDETERMINATE / {name}): {words}";

    KindPdf = "tệp PDF", "PDF file";
    KindPacket = "gói tin edXML", "edXML packet";
    KindReceipt = "biên nhận của cổng", "receipt of a gateway";
    KindCertificate = "chứng thư số", "certificate";
    KindCms = "chữ ký CMS", "CMS signature";
    KindUnknown = "không rõ loại", "of no known kind";

    NotAnyKind = "Không phải loại nào kiểm tra được. Đã thử: PDF (%PDF- trong 1024 byte đầu), chứng thư và chữ ký CMS (DER, PEM), gói tin edXML ({packet})",
        "It is none of the kinds that can be verified. Tried: PDF (%PDF- within the first 1024 bytes), certificate and CMS signature (DER, PEM), edXML packet ({packet})";
    SeveralKinds = "Tệp vừa là {kinds}: hai phần mềm có thể hiểu hai cách; tách ra rồi kiểm tra từng phần",
        "The file is {kinds} at once: two programs may understand it in two ways; take it apart and verify each part";
    FileTooLarge = "Tệp lớn hơn {limit} byte; tăng --bytes-max nếu cần", "The file has more than {limit} bytes; raise --bytes-max if it must be";
    FileNotRegular = "Không phải tệp thường; nêu một tệp", "It is no regular file; name a file";
    PemUnfit = "Có khối PEM hỏng hoặc thuộc loại khác", "A PEM block is damaged or of another kind";
    ContentUnread = "Không đọc được nội dung được ký {path}: {fault}", "The signed content {path} could not be read: {fault}";
    ContentNone = "Chữ ký rời, không tìm thấy tệp được ký bên cạnh; nêu bằng --content",
        "A detached signature, and the signed file does not lie beside it; name it with --content";
    ContentAmbiguous = "Chữ ký rời, có {count} tệp có thể là tệp được ký; nêu bằng --content",
        "A detached signature, and {count} files may be the signed one; name it with --content";
    ContentUnused = "--content chỉ dùng cho chữ ký rời, mà tệp này không phải: bỏ --content, hoặc nêu đúng tệp chữ ký",
        "--content is for detached signatures, and this file is none: leave --content out, or name the file of the signature";
    AtFuture = "--at {at} ở tương lai: chưa ai biết chứng thư nào sẽ bị thu hồi đến lúc đó; nêu một thời điểm đã qua",
        "--at {at} lies in the future: nobody knows what will be revoked until then; name a time that is past";
    GatewayUnused = "--gateway-certificate không dùng cho tệp này: nó là chữ ký CMS nhưng không phải biên nhận",
        "--gateway-certificate was not used for this file: it is a CMS signature and no receipt";
    MainUnsigned = "Văn bản chính không có chữ ký và gói tin không được ký trọn vẹn",
        "The main document bears no signature, and none covers the whole packet";
    EnclosuresUnsigned = "Không có chữ ký: {count} phụ lục", "Without a signature: {count} enclosures";
    MainMissing = "Gói tin chỉ có chữ ký rời, không có văn bản", "The packet holds detached signatures only, and no document";
    PacketNotCovered = "Không chữ ký nào của gói tin bao trùm cả gói", "No signature of the packet covers the whole of it";
    AnchorItself = "Chứng thư này là một gốc tin cậy: nó được tin theo cấu hình, không phải do chứng minh",
        "This certificate is an anchor: it is trusted by configuration, not by proof";
    ReceiptPinned = "Chứng thư ký trùng với --gateway-certificate: được tin theo chỉ định",
        "The certificate is the one given with --gateway-certificate: it is trusted as named";
    ReceiptByPath = "Chứng thư ký hợp lệ, nhưng chỉ tên của nó nói đó là cổng; để chắc chắn, nêu chứng thư của cổng bằng --gateway-certificate",
        "The signer is valid, and nothing but its name says that it is the gateway; to be sure, name the gateway's certificate with --gateway-certificate";
    ReceiptForeign = "Biên nhận không do chứng thư nêu ở --gateway-certificate ký",
        "The receipt is not signed under a certificate that --gateway-certificate names";
    ReceiptUnpinned = "Để tin cổng này, nêu chứng thư của nó bằng --gateway-certificate",
        "To trust this gateway, name its certificate with --gateway-certificate";

    TrustNoAnchor = "Không có chứng thư gốc (CA tự ký) trong {path}; không có gốc thì không chứng minh được gì",
        "No self-signed certificate of an authority is in {path}: without an anchor nothing can be proven";
    TrustUnfit = "{path}: không dùng được: {fault}; bỏ ra khỏi thư mục hoặc thay bằng tệp đúng",
        "{path} cannot be used: {fault}; take it out of the folder or put the right file there";
    TrustNotKnown = "không phải chứng thư, danh sách thu hồi hay trả lời OCSP", "no certificate, revocation list or OCSP answer";
    TrustFolder = "là thư mục con; để mọi tệp trong một thư mục phẳng", "a folder; all files stand in one flat folder";

    ObjectAttachment = "Tệp đính kèm {number}: {name}", "Attachment {number}: {name}";
    ObjectPacketSignature = "Chữ ký của chính gói tin", "The packet's own signature";
    ObjectContent = "Trên tệp: {path}", "Over the file: {path}";
    ObjectUnsigned = "không có chữ ký", "no signature";
    ObjectPlaceholder = "chỉ là chỗ trống hoặc chữ ký mẫu, không có gì để kiểm tra", "a placeholder; there is nothing to verify";
    ObjectOverNothing = "không khớp tệp nào trong gói", "over no file of the packet";
    ObjectRefused = "KHÔNG ĐẠT (TOTAL-FAILED / FORMAT_FAILURE): {fault}", "FAILED (TOTAL-FAILED / FORMAT_FAILURE): {fault}";

    Signature = "Chữ ký {number}/{count}: {verdict}", "Signature {number} of {count}: {verdict}";
    CounterSignature = "Chữ ký xác nhận {number}: {verdict}", "Counter-signature {number}: {verdict}";
    Certificate = "Chứng thư {number}/{count}: {verdict}", "Certificate {number} of {count}: {verdict}";
    Because = "Lý do: {failure}", "Because {failure}";
    Do = "→ Cách xử lý: {advice}", "→ What to do: {advice}";
    Remark = "Lưu ý: {remark}", "Note: {remark}";

    LabelAt = "xét tại thời điểm", "judged as of";
    LabelDigest = "SHA-256 của tệp", "SHA-256 of the file";
    LabelSigner = "người ký", "signer";
    LabelSubject = "chủ thể", "subject";
    LabelIssuer = "bên cấp", "issuer";
    LabelSerial = "số sê-ri", "serial number";
    LabelFingerprint = "vân tay SHA-256", "SHA-256 fingerprint";
    LabelValidity = "hiệu lực", "valid";
    LabelAlgorithm = "thuật toán", "algorithm";
    LabelClaimed = "người ký khai ký lúc", "claimed signing time";
    LabelProven = "chứng minh đã có lúc", "proven to exist by";
    LabelCovers = "phạm vi ký", "covers";
    LabelPath = "đường dẫn chứng thư", "path";
    LabelDocument = "mã văn bản", "document id";
    LabelFrom = "bên gửi", "from";
    LabelTo = "nơi nhận", "to";
    LabelReceiptKind = "loại biên nhận", "kind of receipt";
    LabelGateway = "cổng", "gateway";
    LabelCase = "hồ sơ", "case";
    LabelTime = "thời điểm", "time";
    LabelSubmission = "lần gửi", "submission";
    LabelPacketDigest = "SHA-256 của gói tin", "SHA-256 of the packet";
    LabelContentsDigest = "mã băm nội dung", "digest of the contents";
    LabelLeaf = "mã băm sự kiện", "leaf of the event";
    LabelReason = "lý do từ chối", "reason of refusal";
    LabelStatus = "trạng thái nghiệp vụ", "business status";

    ClaimedNone = "không khai", "not claimed";
    ProvenByStamp = "{time}, theo dấu thời gian của {authority}", "{time}, by the time-stamp of {authority}";
    ProvenByNothing = "chưa chứng minh; xét tại thời điểm kiểm tra", "not proven; judged as of the time of validation";
    CoversFile = "cả tệp (phiên bản {revision}/{revisions})", "the whole file (revision {revision} of {revisions})";
    CoversRevision = "phiên bản {revision}/{revisions}; sau đó có: {later}", "revision {revision} of {revisions}; then came: {later}";
    LaterSignature = "chữ ký khác", "a further signature";
    LaterTimeStamp = "dấu thời gian của tệp", "a document time-stamp";
    LaterField = "trường chữ ký trống", "an empty signature field";
    LaterForm = "điền biểu mẫu", "form fields filled in";
    LaterMaterial = "vật liệu kiểm tra", "material for validation";
    LaterMetadata = "siêu dữ liệu", "metadata";
    LaterExtensions = "phiên bản và phần mở rộng PDF", "version and extensions";
    LaterNothing = "không có gì đáng kể", "nothing of note";
    LinkAnchor = "gốc tin cậy", "an anchor";
    LinkUnsettled = "chưa rõ tình trạng thu hồi", "its revocation is not settled";
    LinkList = "theo danh sách thu hồi của {issuer}, số {number}, phát hành {made}, hạn {until}",
        "by the revocation list of {issuer}, number {number}, of {made}, next by {until}";
    LinkAnswer = "theo trả lời OCSP của {responder}, ký lúc {produced}, tình trạng lúc {made}, hạn {until}",
        "by the OCSP answer of {responder}, made {produced}, status of {made}, next by {until}";
    LinkNotRevoked = "không bị thu hồi, {source}", "not revoked, {source}";
    LinkRevoked = "BỊ THU HỒI hoặc tạm dừng từ {at}, {source}", "REVOKED or on hold since {at}, {source}";
    LinkRevokedAfter = "bị thu hồi từ {at}, sau khi chữ ký đã được chứng minh là có, {source}",
        "revoked at {at}, after the signature is proven to have existed, {source}";
    PathNone = "không tìm thấy đường dẫn", "no path was found";
    StampLine = "Dấu thời gian {kind}, {time}: {verdict}; {authority}", "Time-stamp {kind}, {time}: {verdict}; {authority}";
    StampOfData = "trên tệp", "over the file";
    StampOfContent = "trên nội dung trước khi ký", "over the content before it was signed";
    StampOfSignature = "trên chữ ký", "over the signature";
    StampOfArchive = "lưu trữ dài hạn", "for the archive";
    AuthorityUnknown = "không rõ tổ chức", "authority not known";
    ReasonUnspecified = "không nêu lý do", "no reason given";
    ReasonKeyCompromise = "lộ khóa", "key compromise";
    ReasonCaCompromise = "lộ khóa của bên cấp", "CA compromise";
    ReasonAffiliationChanged = "đổi nơi công tác hoặc tên", "affiliation changed";
    ReasonSuperseded = "được thay thế", "superseded";
    ReasonCessation = "ngừng hoạt động", "cessation of operation";
    ReasonHold = "tạm dừng", "certificate hold";
    ReasonPrivilege = "rút quyền", "privilege withdrawn";
    ReasonAttribute = "lộ khóa của bên cấp thuộc tính", "AA compromise";
    ReasonRemoved = "đã bỏ tạm dừng", "removed from the list";
    ReasonOther = "lý do khác", "another reason";
    Total = "{passed}/{count} tệp đạt", "{passed} of {count} files passed";
}
