<#
.SYNOPSIS
Makes this Windows host a worker: installs annotate once, checks the NPU, and keeps a worker running.

.DESCRIPTION
On Windows on Arm (Snapdragon X) take the x86-64 Python, not the native one: opencv and pyarrow have
no native wheels. Windows emulates it, and the NPU is reached through the arm64ec libraries of
onnxruntime-qnn's win_amd64 wheel, so the models themselves are not emulated.

Passwords come from the environment of the user who runs this, set once with
    [Environment]::SetEnvironmentVariable("ANNOTATE_BROKER", "rediss://annotate:...@queue:6379/0", "User")
and likewise ANNOTATE_STORE, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.

.EXAMPLE
.\docker\windows\annotate-worker.ps1 -RequireNpu

.EXAMPLE
.\docker\windows\annotate-worker.ps1 -Register
Starts the worker whenever this user logs on.
#>
[CmdletBinding()]
param(
    [string] $Venv = "$env:LOCALAPPDATA\annotate\venv",
    [switch] $RequireNpu,
    [switch] $Register
)
Set-StrictMode -Version Latest
$ErrorActionPreference = "Stop"
$source = Resolve-Path (Join-Path $PSScriptRoot "..\..")

foreach ($name in "ANNOTATE_BROKER", "ANNOTATE_STORE") {
    if (-not [Environment]::GetEnvironmentVariable($name)) {
        throw "Set $name first: Get-Help $PSCommandPath"
    }
}

if ($Register) {
    $arguments = "-NoProfile -ExecutionPolicy Bypass -File `"$PSCommandPath`" -Venv `"$Venv`""
    if ($RequireNpu) { $arguments += " -RequireNpu" }
    $action = New-ScheduledTaskAction -Execute "powershell.exe" -Argument $arguments
    $trigger = New-ScheduledTaskTrigger -AtLogOn -User $env:USERNAME
    # On battery it starts and goes on; it is not bound to a network, and starts again if it ends.
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit 0 -AllowStartIfOnBatteries `
        -DontStopIfGoingOnBatteries -StartWhenAvailable -MultipleInstances IgnoreNew `
        -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1)
    Register-ScheduledTask -TaskName "annotate worker" -Action $action -Trigger $trigger -Settings $settings -Force
    return
}

$python = Join-Path $Venv "Scripts\python.exe"
if (-not (Test-Path $python)) {
    # "-64" in the launcher's tag means x86-64; a native Python of an Arm host is tagged "-arm64". From
    # 3.12 on an emulated Python knows that its host is an Arm one.
    foreach ($version in "3.12", "3.13", "3.11") {
        & py "-$version-64" -m venv $Venv
        if ($LASTEXITCODE -eq 0) { break }
    }
    if ($LASTEXITCODE) { throw "Install the x86-64 Python 3.12 (Windows installer, 64-bit)." }
}
$architecture = & $python -c "import sysconfig; print(sysconfig.get_platform())"
if ($architecture -ne "win-amd64") {
    throw "$python is $architecture; the x86-64 Python is needed. Delete $Venv and install that Python."
}
& $python -m pip install --quiet --constraint (Join-Path $source "constraints.txt") "$source[npu]"
if ($LASTEXITCODE) {
    # Without a network what is installed goes on.
    & $python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('annotate') is None)"
    if ($LASTEXITCODE) { throw "pip could not install annotate." }
    Write-Warning "pip could not bring annotate up to date: the installed one is used."
}

# The network, the queue or the store may be away for a while, as on a laptop that has just woken up.
while ($true) {
    if ($RequireNpu) {
        & $python -m annotate doctor --require npu
    } else {
        & $python -m annotate doctor
    }
    if ($LASTEXITCODE -eq 0) { break }
    Write-Warning "annotate doctor found a problem: see above. It looks again in a minute; Ctrl-C ends it."
    Start-Sleep -Seconds 60
}

while ($true) {
    # Ctrl-C ends it with 0 or 130. Anything else is a crash, after which it starts again.
    & $python -m annotate worker
    if ($LASTEXITCODE -eq 0 -or $LASTEXITCODE -eq 130) { break }
    Write-Warning "The worker ended with $LASTEXITCODE and starts again in 5 s."
    Start-Sleep -Seconds 5
}
