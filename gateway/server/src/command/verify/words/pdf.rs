//! Why a PDF file is refused as a whole, in words.

use trust::PdfFault;

use super::Told;
use crate::command::text::FailureText as Text;

/// What is wrong with the file: the text and what it says.
pub(in crate::command::verify) fn pdf_fault(fault: PdfFault) -> Told {
    let bare = |text: Text| (text, text.said());
    let at = |text: Text, offset: usize| (text, text.said().with("offset", offset));
    let of = |text: Text, number: u32| (text, text.said().with("number", number));
    match fault {
        PdfFault::Header => bare(Text::PdfHeader),
        PdfFault::StartXref => bare(Text::PdfStartXref),
        PdfFault::Xref { offset } => at(Text::PdfXref, offset),
        PdfFault::HybridXref => bare(Text::PdfHybridXref),
        PdfFault::Encrypted => bare(Text::PdfEncrypted),
        PdfFault::TrailingOctets { offset } => at(Text::PdfTrailingOctets, offset),
        PdfFault::Syntax { offset } => at(Text::PdfSyntax, offset),
        PdfFault::DuplicateKey { offset } => at(Text::PdfDuplicateKey, offset),
        PdfFault::Object { number } => of(Text::PdfObject, number),
        PdfFault::Filter => bare(Text::PdfFilter),
        PdfFault::TooDeep => bare(Text::PdfTooDeep),
        PdfFault::TooLarge => bare(Text::PdfTooLarge),
        PdfFault::Catalog => bare(Text::PdfCatalog),
        PdfFault::Form => bare(Text::PdfForm),
        PdfFault::Xfa => bare(Text::PdfXfa),
        PdfFault::SignatureDictionary => bare(Text::PdfSignatureDictionary),
        PdfFault::SubFilter => bare(Text::PdfSubFilter),
        PdfFault::Contents => bare(Text::PdfContents),
        PdfFault::ByteRange => bare(Text::PdfByteRange),
        PdfFault::SignatureRepeated => bare(Text::PdfSignatureRepeated),
        PdfFault::StraySignature => bare(Text::PdfStraySignature),
        PdfFault::UnsignedRevision => bare(Text::PdfUnsignedRevision),
        PdfFault::Changed { number } => of(Text::PdfChanged, number),
        PdfFault::Overlaid { number } => of(Text::PdfOverlaid, number),
        PdfFault::Unaccounted { offset } => at(Text::PdfUnaccounted, offset),
        PdfFault::Restricted => bare(Text::PdfRestricted),
        PdfFault::Certification => bare(Text::PdfCertification),
        PdfFault::ValidationMaterial => bare(Text::PdfValidationMaterial),
    }
}
