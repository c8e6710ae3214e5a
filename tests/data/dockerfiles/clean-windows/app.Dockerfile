# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
ENV GOPATH=C:\gopath
RUN Write-Host $env:GOPATH; `
    go install example.com/tool@v1
COPY app.exe C:\
ENTRYPOINT ["C:\\app.exe"]
