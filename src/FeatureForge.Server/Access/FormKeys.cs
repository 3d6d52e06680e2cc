// The keys of form tokens lie in the ledger, so that a form that one server has sent can be answered to another, and after a restart. What they protect is no
// secret of people: a token is worth nothing without the session that it belongs to.
using System.Xml.Linq;
using FeatureForge.Data;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace FeatureForge.Server;

/// <summary>The ledger as the key ring of ASP.NET's data protection.</summary>
internal sealed class FormKeys(AccessLedger access) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements() => [.. access.FormKeys().Select(content => XElement.Parse(content))];

    public void StoreElement(XElement element, string friendlyName) => access.AddFormKey(friendlyName, element.ToString(SaveOptions.DisableFormatting));
}
