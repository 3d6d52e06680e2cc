// A port of this machine's loopback address that nothing listens on.
using System.Net;
using System.Net.Sockets;

namespace FeatureForge.TestKit;

public static class FreePort
{
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
