// Which addresses lie on the open internet. A URL of somebody else's list may name the machine's own services, a router, or a
// cloud's metadata server (server-side request forgery); the check is made on the address that is connected to, so that a
// name which resolves differently the second time gains nothing. Ranges: the IANA special-purpose registries.
using System.Net;
using System.Net.Sockets;

namespace FeatureForge.Ingest;

internal static class PublicAddress
{
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(range => IPNetwork.Parse(range)),
    ];

    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            var bytes = address.GetAddressBytes();
            if (Translated.Contains(address)) return Is(new IPAddress(bytes.AsSpan(12, 4)));
            if (SixToFour.Contains(address)) return Is(new IPAddress(bytes.AsSpan(2, 4)));
        }
        return !NotPublic.Any(range => range.Contains(address));
    }
}
