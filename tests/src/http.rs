//! A client for HTTP/1.1, one connection a request.
//!
//! It is written by hand because a good client library refuses to do what a server must withstand: bytes that
//! are no request, a body that stops half-way, a reader that leaves.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long to wait for any byte of an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Headers, but for `host`, `connection` and `content-length`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; none is sent when it is empty and the method is GET.
    pub body: &'a [u8],
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("status {}, and the body is not JSON: {:?}", self.status, self.text()))
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// When the connection fails or ends before the answer does.
pub fn send(address: SocketAddr, request: &Request<'_>) -> Result<Answer> {
    let mut stream = begin(address, request)?;
    // A server may refuse a body before it has read it all, so a failure to send does not matter yet.
    let sent = stream.write_all(request.body).and_then(|()| stream.flush());
    match receive(stream) {
        Ok(answer) => Ok(answer),
        Err(error) => match sent {
            Err(sending) => Err(error.context(sending)),
            Ok(()) => Err(error),
        },
    }
}

/// Sends everything but the body, and gives the connection.
///
/// # Errors
/// When the connection fails.
pub fn begin(address: SocketAddr, request: &Request<'_>) -> Result<TcpStream> {
    let mut head =
        format!("{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", request.method, request.target);
    for (name, value) in request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !request.body.is_empty() || request.method != "GET" {
        head += &format!("content-length: {}\r\n", request.body.len());
    }
    head += "\r\n";
    raw(address, head.as_bytes())
}

/// Connects and sends these very bytes.
///
/// # Errors
/// When the connection fails.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(bytes)?;
    Ok(stream)
}

/// Reads an answer to its end.
///
/// # Errors
/// When the connection ends before the answer does, or what comes is no answer.
pub fn receive(stream: TcpStream) -> Result<Answer> {
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("{first:?} is no status line"))?;
    let mut headers = Vec::new();
    loop {
        let header = line(&mut reader)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').with_context(|| format!("{header:?} is no header"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        answer.body = chunked(&mut reader)?;
    } else if let Some(length) = answer.header("content-length") {
        answer.body = vec![0; length.parse()?];
        reader.read_exact(&mut answer.body).context("the body ended early")?;
    } else {
        reader.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(0) => bail!("the connection ended without an answer"),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            bail!("no answer within {PATIENCE:?}")
        }
        Err(error) => Err(error.into()),
    }
}

fn chunked(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(reader)?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or(""), 16)
            .with_context(|| format!("{size:?} is no chunk size"))?;
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..]).context("a chunk ended early")?;
        let end = line(reader)?;
        if !end.is_empty() {
            bail!("a chunk is longer than it says");
        }
        if size == 0 {
            return Ok(body);
        }
    }
}
