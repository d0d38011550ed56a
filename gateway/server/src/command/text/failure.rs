//! Why signatures and files do not pass, and what is worth noting: the words of `gateway verify`.
//!
//! **Invariant:** the name of a text is the code that programs are told (first letter small), so that names stay.

texts! {
    /// What is wrong with a signature, a certificate or a file.
    FailureText;
    Structure = "không phải cấu trúc CMS SignedData ({detail})", "it is not a CMS SignedData ({detail})";
    TrailingOctets = "có dữ liệu thừa sau chữ ký", "octets follow the signature";
    SignerAbsent = "không có người ký", "nobody signed";
    SignerRepeated = "có nhiều người ký ở nơi chỉ được một", "more than one signer where one is allowed";
    TooLarge = "quá nhiều người ký hoặc chứng thư", "too many signers or certificates";
    ContentMisplaced = "nội dung được ký không ở chỗ phải có", "the signed content is not where it belongs";
    ContentType = "chữ ký trên loại nội dung khác", "the signature is over another type of content";
    SignedAttributesAbsent = "chữ ký không có thuộc tính được ký", "the signature has no signed attributes";
    AttributeAbsent = "thiếu thuộc tính được ký {attribute}", "the signed attribute {attribute} is absent";
    AttributeRepeated = "thuộc tính được ký {attribute} bị lặp", "the signed attribute {attribute} is repeated";
    AttributeMalformed = "thuộc tính được ký {attribute} sai cấu trúc", "the signed attribute {attribute} is malformed";
    DigestAlgorithmUnknown = "không biết thuật toán băm này", "the digest algorithm is not known";
    SignatureAlgorithmUnknown = "không biết thuật toán ký này, hoặc nó không hợp với khóa",
        "the signature algorithm is not known, or does not belong to the key";
    CertificateAlgorithmUnknown = "không biết thuật toán mà chứng thư {certificate} được ký",
        "the algorithm with which the certificate {certificate} was signed is not known";
    AlgorithmsDisagree = "thuật toán băm và thuật toán ký mâu thuẫn", "digest and signature algorithm disagree";
    AlgorithmsReplaced = "thuật toán không phải thuật toán mà người ký đã bảo vệ",
        "the algorithms are not those that the signer protected";
    SignaturePolicyUnknown = "chữ ký nêu một chính sách ký không có ở đây",
        "the signature names a signature policy that is not at hand";
    DigestMismatch = "nội dung đã bị thay đổi sau khi ký", "the content was changed after it was signed";
    SignatureWrong = "giá trị chữ ký sai: không phải khóa này ký nội dung này",
        "the signature value is wrong: this key did not sign this content";
    SignerCertificateAbsent = "không có chứng thư của người ký", "the certificate of the signer is not at hand";
    SignerCertificateAmbiguous = "nhiều chứng thư ứng với người ký", "several certificates answer to the signer";
    SigningCertificateMismatch = "chữ ký nêu chứng thư ký khác", "the signature names another signing certificate";
    SigningCertificateAbsent = "chữ ký không gắn với chứng thư của nó", "the signature does not bind its certificate";
    PropertiesUnsigned = "chữ ký không bao gồm các thuộc tính của chính nó", "the signature does not cover its properties";
    AlgorithmRefused = "không chấp nhận {algorithm} với khóa {key} tại thời điểm xét (chứng thư: {certificate})",
        "{algorithm} with a key {key} is not allowed at this time (certificate: {certificate})";
    DigestRefused = "không chấp nhận thuật toán băm {algorithm} tại thời điểm xét",
        "the digest {algorithm} is not allowed at this time";
    NoPath = "không có đường dẫn nào từ chứng thư {certificate} tới một gốc tin cậy",
        "no path leads from the certificate {certificate} to an anchor";
    IssuerUnknown = "chưa có chứng thư của bên cấp {certificate}", "the issuer of {certificate} is not at hand yet";
    BudgetSpent = "việc kiểm tra tốn quá giới hạn nên đã dừng", "the check cost more than its limit and was given up";
    Expired = "chứng thư {certificate} đã hết hạn từ {until}", "the certificate {certificate} expired at {until}";
    NotYetValid = "chứng thư {certificate} chưa có hiệu lực trước {from}",
        "the certificate {certificate} is not valid before {from}";
    NotAuthority = "{certificate} không phải tổ chức cấp chứng thư", "{certificate} is no certification authority";
    PathTooLong = "đường dẫn dưới {certificate} dài hơn mức nó cho phép", "the path below {certificate} is longer than it allows";
    KeyUsage = "khóa của {certificate} không được dùng vào việc này", "the key of {certificate} is not for this use";
    KeyPurpose = "chứng thư {certificate} không dành cho mục đích này", "the certificate {certificate} is not for this purpose";
    NameConstraints = "tên trong {certificate} nằm ngoài phạm vi mà bên cấp được phép",
        "a name in {certificate} lies outside of what its issuers may certify";
    Policies = "{certificate} không theo chính sách chứng thư được yêu cầu",
        "{certificate} does not meet the certificate policies that are asked for";
    UnknownCritical = "{certificate} có phần mở rộng bắt buộc không được xử lý ở đây",
        "{certificate} has a critical extension that is not processed here";
    Revoked = "chứng thư {certificate} đã bị thu hồi từ {at} ({reason})",
        "the certificate {certificate} was revoked at {at} ({reason})";
    OnHold = "chứng thư {certificate} đang bị tạm dừng từ {at}", "the certificate {certificate} is on hold since {at}";
    TimeStampMalformed = "dấu thời gian không đọc được ({detail})", "a time-stamp cannot be read ({detail})";
    TimeStampImprint = "dấu thời gian không phải của dữ liệu này", "the time-stamp is over something else";
    TimeStampFuture = "dấu thời gian ghi thời điểm chưa tới", "the time-stamp is from the future";
    TimeStampAuthority = "dấu thời gian nêu tên tổ chức khác với bên đã ký nó",
        "the time-stamp names another authority than the one that signed it";
    TimeStampOrder = "các dấu thời gian mâu thuẫn về thứ tự", "the time-stamps are out of order";
    RevocationUnknown = "chưa biết chứng thư {certificate} có bị thu hồi hay không",
        "whether the certificate {certificate} is revoked is not known";

    XmlElementAbsent = "chữ ký XML thiếu {name}", "the XML signature lacks {name}";
    XmlElementUnexpected = "chữ ký XML có phần tử không đúng chỗ: {name}", "an element does not belong into the XML signature: {name}";
    XmlAttributeAbsent = "chữ ký XML thiếu thuộc tính {name}", "the XML signature lacks the attribute {name}";
    XmlContent = "{name} của chữ ký XML có nội dung sai loại", "{name} of the XML signature has content of the wrong kind";
    XmlBase64 = "{name} của chữ ký XML không phải base64", "{name} of the XML signature is no base64";
    XmlIdRepeated = "mã {name} xuất hiện hai lần", "the id {name} occurs twice";
    XmlTargetAbsent = "không phần tử nào mang mã {name}", "nothing bears the id {name}";
    XmlNothingSigned = "tham chiếu không để lại gì để ký", "a reference leaves nothing to be signed";
    XmlTooMany = "chữ ký XML có quá nhiều {name}", "the XML signature has too many {name}";
    XmlTooLarge = "chữ ký XML bao quá nhiều dữ liệu", "the XML signatures cover too many octets";
    XmlSignatureMethod = "không hỗ trợ thuật toán ký {name}", "the signature method {name} is not supported";
    XmlDigestMethod = "không hỗ trợ thuật toán băm {name}", "the digest method {name} is not supported";
    XmlCanonicalizationMethod = "không hỗ trợ phép chuẩn hóa {name}", "the canonicalization {name} is not supported";
    XmlTransform = "không hỗ trợ phép biến đổi {name}", "the transform {name} is not supported";
    XmlTransformOrder = "không hỗ trợ thứ tự các phép biến đổi này", "this order of transforms is not supported";
    XmlParameters = "không hỗ trợ tham số của {name}", "the parameters of {name} are not supported";
    XmlUriAbsent = "tham chiếu không có URI", "a reference has no URI";
    XmlOutside = "tham chiếu tới {name} ở ngoài văn bản", "the reference to {name} leads outside of the document";
    XmlXPointer = "không hỗ trợ XPointer {name}", "the XPointer {name} is not supported";
    XmlBaseOutside = "xml:base ở ngoài phần được ký", "xml:base stands outside of the signed element";
    XmlPropertiesElsewhere = "các thuộc tính của chữ ký ở ngoài chữ ký", "the properties are outside of the signature";

    PdfHeader = "tệp không bắt đầu đúng như PDF", "the file does not begin as PDF";
    PdfStartXref = "cuối tệp không chỉ tới bảng tham chiếu", "the end of the file names no cross-reference section";
    PdfXref = "bảng tham chiếu tại byte {offset} sai", "the cross-reference section at {offset} is malformed";
    PdfHybridXref = "tệp có bảng tham chiếu lai, hai trình đọc có thể thấy hai tệp",
        "a hybrid cross-reference section shows two files to two readers";
    PdfEncrypted = "tệp được mã hóa", "the file is encrypted";
    PdfTrailingOctets = "có dữ liệu thừa sau cuối tệp, tại byte {offset}", "octets follow the end of the file at {offset}";
    PdfSyntax = "sai cấu trúc tại byte {offset}", "malformed at offset {offset}";
    PdfDuplicateKey = "một khóa lặp lại trong từ điển kết thúc tại byte {offset}",
        "a key occurs twice in the dictionary that ends at {offset}";
    PdfObject = "đối tượng {number} không như tệp khai", "object {number} is not what the file says";
    PdfFilter = "không giải mã được một luồng của cấu trúc tệp", "a stream of the structure cannot be decoded";
    PdfTooDeep = "cấu trúc lồng nhau quá sâu", "the structure is nested too deep";
    PdfTooLarge = "cấu trúc quá lớn", "the structure is too large";
    PdfCatalog = "tệp không có danh mục gốc", "the file has no catalog";
    PdfForm = "biểu mẫu sai cấu trúc", "the form is malformed";
    PdfXfa = "tệp có biểu mẫu XFA và được nối thêm sau khi ký: mỗi phần mềm đọc hiện một nội dung khác", "the file holds a form in XFA and was extended after it was signed: readers show different things";
    PdfSignatureDictionary = "từ điển chữ ký sai cấu trúc", "a signature dictionary is malformed";
    PdfSubFilter = "không hỗ trợ loại chữ ký này", "the kind of signature is not supported";
    PdfContents = "chỗ chứa giá trị chữ ký sai", "the place of the signature value is malformed";
    PdfByteRange = "chữ ký không bao trùm cả phiên bản của nó", "the signature does not cover its whole revision";
    PdfSignatureRepeated = "một chữ ký xuất hiện hai lần", "a signature occurs twice";
    PdfStraySignature = "tệp có chữ ký không thuộc trường nào", "the file holds a signature that no field shows";
    PdfUnsignedRevision = "tệp được nối thêm sau khi ký mà không rõ để làm gì",
        "the file was extended after it was signed, to no purpose that is known";
    PdfChanged = "đối tượng {number} bị thay đổi sau khi ký", "object {number} was changed after the file was signed";
    PdfOverlaid = "đối tượng {number} che lên phần đã ký", "object {number} covers what was signed before";
    PdfUnaccounted = "dữ liệu tại byte {offset} không thuộc đối tượng nào của phiên bản",
        "octets at {offset} belong to no object of their revision";
    PdfRestricted = "chữ ký trước đó không cho phép thay đổi này", "an earlier signature does not allow this change";
    PdfCertification = "chữ ký chứng nhận không phải chữ ký đầu tiên của tệp",
        "the certification of the file is not its first signature";
    PdfValidationMaterial = "vật liệu kiểm tra kèm trong tệp sai cấu trúc", "the validation material is malformed";
}

texts! {
    /// Sub-indications of ETSI EN 319 102-1 in words.
    SubText;
    FormatFailure = "sai định dạng", "format failure";
    HashFailure = "nội dung không khớp giá trị băm đã ký", "the digest does not match";
    SigCryptoFailure = "giá trị chữ ký sai", "the signature value is wrong";
    Revoked = "chứng thư của người ký đã bị thu hồi", "the signer's certificate was revoked";
    Expired = "ký sau khi chứng thư hết hạn", "signed after the certificate had expired";
    NotYetValid = "ký trước khi chứng thư có hiệu lực", "signed before the certificate was valid";
    SigConstraintsFailure = "chữ ký không đạt một ràng buộc", "a constraint on the signature is not met";
    ChainConstraintsFailure = "đường dẫn chứng thư không đạt một ràng buộc", "a constraint on the path is not met";
    CertificateChainGeneralFailure = "không xét xong đường dẫn chứng thư", "the path could not be judged";
    CryptoConstraintsFailure = "thuật toán hoặc khóa không được chấp nhận", "algorithm or key is not allowed";
    PolicyProcessingError = "không xử lý được chính sách ký", "the signature policy could not be processed";
    CryptoConstraintsFailureNoPoe = "thuật toán hoặc khóa không được chấp nhận, và không có bằng chứng là chữ ký đã có từ trước",
        "algorithm or key is not allowed, and nothing proves that the signature is older";
    OutOfBoundsNoPoe = "ngoài thời hạn chứng thư, và không có bằng chứng là chữ ký đã có trong thời hạn",
        "outside of the validity of a certificate, and nothing proves that the signature is older";
    OutOfBoundsNotRevoked = "ngoài thời hạn chứng thư; chứng thư không bị thu hồi",
        "outside of the validity of a certificate, which was not revoked";
    RevokedNoPoe = "chứng thư của người ký đã bị thu hồi, và không có bằng chứng là chữ ký đã có từ trước",
        "the signer's certificate was revoked, and nothing proves that the signature is older";
    NoPoe = "không có bằng chứng là chữ ký đã tồn tại", "nothing proves that the signature existed";
    RevokedCaNoPoe = "chứng thư của một tổ chức cấp đã bị thu hồi", "the certificate of an authority was revoked";
    NoSigningCertificateFound = "không xác định được chứng thư ký", "the signing certificate was not found";
    NoCertificateChainFound = "không có đường dẫn tới gốc tin cậy", "no path to an anchor was found";
    SignaturePolicyNotAvailable = "không có chính sách ký được nêu", "the signature policy is not available";
    SignedDataNotFound = "không có nội dung được ký", "the signed content was not found";
    TimestampOrderFailure = "các dấu thời gian sai thứ tự", "time-stamps are out of order";
    TryLater = "thiếu thông tin, có thể kết luận khi có đủ", "something is missing; it can be told once that is here";
}

texts! {
    /// What is worth noting of a signature that it does not keep from passing.
    RemarkText;
    TimeStampIgnored = "có bằng chứng thời gian thuộc loại không được đọc ở đây",
        "a proof of time of a kind that is not read here is attached";
    TimeStampInvalid = "có dấu thời gian không đạt; nó không được tính", "a time-stamp did not pass and counts for nothing";
    SigningTimeContradicted = "thời điểm ký mà người ký khai muộn hơn thời điểm đã được chứng minh",
        "the signer claims to have signed later than is proven";
    CounterSignatureInvalid = "có chữ ký xác nhận lên chữ ký này không đạt; nó không được tính",
        "a counter-signature did not pass and counts for nothing";
    SigningCertificateAbsent = "chữ ký không gắn với chứng thư (không có signing-certificate)",
        "no signing-certificate attribute binds the certificate";
    PaddingIgnored = "sau chữ ký có các byte 0, đã bỏ qua", "zero octets follow the signature and were left out";
    ShownOverSigned = "chữ ký hiển thị hình lên trang mà chữ ký trước đã bao trùm",
        "the signature shows something on pages that earlier signatures cover";
    AttributesReordered = "chữ ký chỉ đúng sau khi xếp lại thuộc tính theo DER",
        "the signature verified only after its attributes were brought into the order of DER";
}

texts! {
    /// What to do about what failed.
    AdviceText;
    Altered = "Đề nghị người gửi gửi lại bản gốc; bản này không phải nội dung đã ký",
        "Ask the sender for the original; this is not what was signed";
    Malformed = "Đề nghị người gửi ký lại bằng phần mềm đúng chuẩn", "Ask the sender to sign it anew with software that keeps to the standard";
    BringContent = "Nêu tệp được ký bằng --content", "Name the signed file with --content";
    BringCertificate = "Đưa chứng thư của người ký vào thư mục --trust", "Put the signer's certificate into the --trust folder";
    BringAnchor = "Nếu tin bên cấp này, đưa chứng thư gốc (và trung gian) của họ vào thư mục --trust hoặc anchors_dir; nếu không, đừng dựa vào chữ ký này",
        "If this issuer is to be trusted, put its root (and intermediate) certificates into the --trust folder or anchors_dir; if not, do not rely on this signature";
    BringPolicy = "Hỏi người ký về chính sách ký mà chữ ký nêu", "Ask the signer for the signature policy that is named";
    WeakAlgorithm = "Đề nghị ký lại bằng thuật toán và khóa đủ mạnh", "Ask for a signature with an algorithm and key that are strong enough";
    JudgeEarlier = "Nếu biết chắc chữ ký có từ khi chứng thư còn hiệu lực, xét lại với --at và danh sách thu hồi của thời điểm đó",
        "If the signature is known to be from when the certificate was valid, judge it with --at and the revocation lists of then";
    AskIssuer = "Hỏi bên cấp chứng thư; chứng thư này không được dùng như vậy", "Ask the issuer; the certificate may not be used like this";
    DoNotRely = "Không dựa vào chữ ký này; liên hệ người ký", "Do not rely on this signature; contact the signer";
    WaitForHold = "Chờ bên cấp bỏ tạm dừng hoặc thu hồi, rồi xét lại", "Wait until the issuer releases or revokes it, and judge again";
    NeedList = "Thiếu danh sách thu hồi còn hiệu lực của {issuer}; lấy từ {urls} rồi đưa vào thư mục --trust (với cấu hình: gateway trust import-crl), hoặc chạy lại khi có mạng",
        "A current revocation list of {issuer} is missing; take it from {urls} into the --trust folder (with a configuration: gateway trust import-crl), or run again with the network";
    NeedAnswer = "Thiếu trả lời OCSP còn hiệu lực của {issuer}; chạy lại khi có mạng, hoặc đưa trả lời từ {urls} vào thư mục --trust",
        "A current OCSP answer of {issuer} is missing; run again with the network, or put that of {urls} into the --trust folder";
    NeedIssuer = "Thiếu chứng thư của {issuer}; lấy từ {urls} rồi đưa vào thư mục --trust, hoặc chạy lại khi có mạng",
        "The certificate of {issuer} is missing; take it from {urls} into the --trust folder, or run again with the network";
    NeedListOfThen = "Danh sách thu hồi phải có hiệu lực vào thời điểm xét", "The revocation list must be current at the time that is judged";
    NoAddress = "nơi tổ chức cấp chứng thư công bố", "where its issuer publishes it";
    AllowHost = "Nếu máy chủ đó là của tổ chức cấp chứng thư, thêm vào [trust] allowed_private_hosts",
        "If that host is the authority's, add it to [trust] allowed_private_hosts";
    NotFetched = "Không lấy được {url}: {fault}", "{url} gave nothing of use: {fault}";
    TimeStamps = "Hỏi bên đã ký về dấu thời gian", "Ask the signer about the time-stamps";
}
